internal import CSecp256k1

/// Public keys of secp256k1 in their two forms, and out of signatures. Everything here is public.
///
/// By libsecp256k1: what libcrypto does for this curve takes twenty times as long.
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
        var point = secp256k1_pubkey()
        guard secp256k1_ec_pubkey_parse(library, &point, key, key.count) == 1 else { throw notAPoint }
        return try octets(of: point)
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
        var read = secp256k1_ecdsa_recoverable_signature()
        var point = secp256k1_pubkey()
        guard
            secp256k1_ecdsa_recoverable_signature_parse_compact(library, &read, signature, isOdd ? 1 : 0) == 1,
            secp256k1_ecdsa_recover(library, &point, &read, digest) == 1
        else { throw noKey }
        return try octets(of: point)
    }

    /// The context that needs no memory and knows no secret: it verifies only. The library ends the process if its own tests
    /// fail, or if it is given what its contract forbids: no pointer here is ever null.
    private static var library: OpaquePointer {
        _ = isTested
        return kmsd_secp256k1_context()
    }

    private static let isTested: Bool = {
        secp256k1_selftest()
        return true
    }()

    private static func octets(of point: secp256k1_pubkey) throws(LibCryptoError) -> [UInt8] {
        try [UInt8].filled(65) { output throws(LibCryptoError) in
            guard let start = output.bytes else { throw notAPoint }
            var (point, length) = (point, output.count)
            let written = secp256k1_ec_pubkey_serialize(
                library, start, &length, &point, UInt32(SECP256K1_EC_UNCOMPRESSED))
            guard written == 1, length == output.count else { throw notAPoint }
        }
    }

    private static var notAPoint: LibCryptoError {
        LibCryptoError(.invalidInput, "The bytes are no point of secp256k1 in the form asked for.")
    }

    private static var noKey: LibCryptoError {
        LibCryptoError(.invalidInput, "No key can have made the signature.")
    }
}
