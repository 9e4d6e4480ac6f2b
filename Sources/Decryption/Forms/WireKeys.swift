import LibCrypto

/// Keys and signatures in the form in which requests carry them: a DER OCTET STRING of a fixed length.
enum WireKeys {
    /// The 33 bytes of a compressed secp256k1 key.
    static func verificationKey(_ field: [UInt8]) throws(DecryptionError) -> [UInt8] {
        try octets(field, 33, "verification_key")
    }

    /// The 32 bytes of an X25519 key.
    static func encryptionKey(_ field: [UInt8]) throws(DecryptionError) -> [UInt8] {
        try octets(field, 32, "enc_key")
    }

    /// r ‖ s, 64 bytes.
    static func signature(_ field: [UInt8]) throws(DecryptionError) -> [UInt8] {
        try octets(field, 64, "signature")
    }

    private static func octets(_ field: [UInt8], _ count: Int, _ name: String) throws(DecryptionError) -> [UInt8] {
        guard field.count == count + 2, field[0] == 0x04, field[1] == UInt8(count) else {
            throw .invalid(
                "malformed-\(name)", "\(name) must be a DER OCTET STRING of \(count) bytes, \(count + 2) bytes together"
            )
        }
        return Array(field[2...])
    }

    /// The Ethereum address of a key given as 04 ‖ X ‖ Y.
    static func address(of uncompressed: [UInt8]) -> [UInt8] {
        Array(Handles.keccak(uncompressed.dropFirst()).suffix(20))
    }
}
