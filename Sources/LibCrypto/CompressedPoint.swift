internal import CLibCrypto

/// Public keys in SEC 1's compressed form.
///
/// - Source: SEC 1 version 2.0, §2.3.
public enum CompressedPoint {
    /// 04 ‖ X ‖ Y of a key given as 02 or 03 ‖ X.
    ///
    /// - Parameter curve: secp256k1 or P-256.
    /// - Throws: `.invalidInput` for another form, another curve, or an X that no point has.
    public static func uncompressed(_ key: [UInt8], on curve: SigningCurve) throws(LibCryptoError) -> [UInt8] {
        if curve == .secp256k1 { return try Secp256k1Point.uncompressed(key) }
        let refused = LibCryptoError(.invalidInput, "The bytes are no compressed point of P-256.")
        guard curve == .p256, key.count == 33, key[0] == 2 || key[0] == 3 else { throw refused }
        let group = try OpenSSL.check("EC_GROUP_new_by_curve_name", NamedGroup.p256.object)
        let scratch = try OpenSSL.check("BN_CTX_new", BN_CTX_new())
        defer { BN_CTX_free(scratch) }
        let point = try OpenSSL.check("EC_POINT_new", EC_POINT_new(group))
        defer { EC_POINT_free(point) }
        guard OpenSSL.holds(EC_POINT_oct2point(group, point, key, key.count, scratch)) else { throw refused }
        return try [UInt8].filled(65) { output throws(LibCryptoError) in
            let written = EC_POINT_point2oct(
                group, point, POINT_CONVERSION_UNCOMPRESSED, output.bytes, output.count, scratch)
            try OpenSSL.check("EC_POINT_point2oct", written == output.count ? 1 : 0)
        }
    }
}
