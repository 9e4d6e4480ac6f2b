internal import CLibCrypto

/// Public keys of secp256k1 in their two forms, and out of signatures. Everything here is public.
///
/// - Source: SEC 1 version 2.0, §2.3 (forms) and §4.1.6 (recovery).
public enum Secp256k1Point {
    /// 02 or 03 ‖ X of a key given as 04 ‖ X ‖ Y.
    ///
    /// - Throws: `.invalidInput` for another form.
    public static func compressed(_ key: [UInt8]) throws(LibCryptoError) -> [UInt8] {
        guard key.count == 65, key[0] == 4 else { throw notAPoint }
        return [2 | key[64] & 1] + key[1...32]
    }

    /// 04 ‖ X ‖ Y of a key given as 02 or 03 ‖ X.
    ///
    /// - Throws: `.invalidInput` for another form, or an X that no point has.
    public static func uncompressed(_ key: [UInt8]) throws(LibCryptoError) -> [UInt8] {
        guard key.count == 33, key[0] == 2 || key[0] == 3 else { throw notAPoint }
        return try withGroup { group, scratch throws(LibCryptoError) in
            let point = try OpenSSL.check("EC_POINT_new", EC_POINT_new(group))
            defer { EC_POINT_free(point) }
            guard OpenSSL.holds(EC_POINT_oct2point(group, point, key, key.count, scratch)) else { throw notAPoint }
            return try octets(of: point, group, scratch)
        }
    }

    /// The key that made a signature, as 04 ‖ X ‖ Y.
    ///
    /// - Parameters:
    ///   - digest: 32 bytes that were signed.
    ///   - signature: r ‖ s, 64 bytes.
    ///   - isOdd: Whether Y of the signature's point is odd.
    /// - Throws: `.invalidInput` if there is none.
    public static func recover(
        digest: [UInt8], signature: [UInt8], isOdd: Bool
    ) throws(LibCryptoError) -> [UInt8] {
        guard digest.count == 32, signature.count == 64 else { throw noKey }
        return try withGroup { group, scratch throws(LibCryptoError) in
            let order = try OpenSSL.check("EC_GROUP_get0_order", EC_GROUP_get0_order(group))
            let r = try number(Array(signature[..<32]))
            defer { BN_free(r) }
            let s = try number(Array(signature[32...]))
            defer { BN_free(s) }
            guard BN_is_zero(r) == 0, BN_is_zero(s) == 0, BN_cmp(r, order) < 0, BN_cmp(s, order) < 0 else {
                throw noKey
            }
            let nonce = try OpenSSL.check("EC_POINT_new", EC_POINT_new(group))
            defer { EC_POINT_free(nonce) }
            let encoded = [isOdd ? 3 : 2] + signature[..<32]
            guard OpenSSL.holds(EC_POINT_oct2point(group, nonce, encoded, encoded.count, scratch)) else { throw noKey }
            // Q = s/r · R − z/r · G
            let inverse = try OpenSSL.check("BN_mod_inverse", BN_mod_inverse(nil, r, order, scratch))
            defer { BN_free(inverse) }
            let first = try number([0])
            defer { BN_free(first) }
            let second = try number(digest)
            defer { BN_free(second) }
            try OpenSSL.check("BN_mod_mul", BN_mod_mul(first, s, inverse, order, scratch))
            try OpenSSL.check("BN_nnmod", BN_nnmod(second, second, order, scratch))
            try OpenSSL.check("BN_mod_mul", BN_mod_mul(second, second, inverse, order, scratch))
            if BN_is_zero(second) == 0 { try OpenSSL.check("BN_sub", BN_sub(second, order, second)) }
            let key = try OpenSSL.check("EC_POINT_new", EC_POINT_new(group))
            defer { EC_POINT_free(key) }
            try OpenSSL.check("EC_POINT_mul", EC_POINT_mul(group, key, second, nonce, first, scratch))
            guard EC_POINT_is_at_infinity(group, key) == 0 else { throw noKey }
            return try octets(of: key, group, scratch)
        }
    }

    private static func withGroup<R>(
        _ body: (OpaquePointer, OpaquePointer) throws(LibCryptoError) -> R
    ) throws(LibCryptoError) -> R {
        let group = try OpenSSL.check("EC_GROUP_new_by_curve_name", NamedGroup.secp256k1.object)
        let scratch = try OpenSSL.check("BN_CTX_new", BN_CTX_new())
        defer { BN_CTX_free(scratch) }
        return try body(group, scratch)
    }

    private static func number(_ bytes: [UInt8]) throws(LibCryptoError) -> OpaquePointer {
        try OpenSSL.check("BN_bin2bn", BN_bin2bn(bytes, Int32(bytes.count), nil))
    }

    private static func octets(
        of point: OpaquePointer, _ group: OpaquePointer, _ scratch: OpaquePointer
    ) throws(LibCryptoError) -> [UInt8] {
        try [UInt8].filled(65) { output throws(LibCryptoError) in
            let written = EC_POINT_point2oct(
                group, point, POINT_CONVERSION_UNCOMPRESSED, output.bytes, output.count, scratch)
            try OpenSSL.check("EC_POINT_point2oct", written == output.count ? 1 : 0)
        }
    }

    private static var notAPoint: LibCryptoError {
        LibCryptoError(.invalidInput, "The bytes are no point of secp256k1 in the form asked for.")
    }

    private static var noKey: LibCryptoError {
        LibCryptoError(.invalidInput, "No key can have made the signature.")
    }
}
