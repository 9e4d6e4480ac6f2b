import LibCrypto

/// How public keys leave the daemon, for keys held here and keys held in a token alike.
public enum PublicKeyEncoding {
    /// The bytes of the `public_key` member, before base64.
    ///
    /// - Parameters:
    ///   - raw: 32 bytes for Ed25519, else 0x04 ‖ X ‖ Y.
    ///   - type: Decides the form: raw bytes (Ed25519), SubjectPublicKeyInfo (DER types), the point (P1363 types).
    /// - Throws: `.invalidArgument` for a key of a wrong length; `.unsupportedOperation` for a type without public half.
    public static func export(_ raw: [UInt8], type: KeyType) throws(WorkingKeyError) -> [UInt8] {
        let curve = try checked(raw, type)
        return type.signatureEncoding == .der ? SubjectPublicKeyInfo.encode(curve: curve, publicKey: raw) : raw
    }

    /// The identifier of a new asymmetric key: the thumbprint of its JWK, 43 characters.
    ///
    /// - Throws: like ``export(_:type:)``.
    public static func thumbprint(_ raw: [UInt8], type: KeyType) throws(WorkingKeyError) -> String {
        let curve = try checked(raw, type)
        if curve == .ed25519 { return try JWKThumbprint.octetKeyPair(curve: "Ed25519", x: raw) }
        let width = (raw.count - 1) / 2
        return try JWKThumbprint.ellipticCurve(
            curve: curve == .secp256k1 ? "SECP256K1" : curve.rawValue, x: Array(raw[1...width]),
            y: Array(raw[(width + 1)...]))
    }

    private static func checked(_ raw: [UInt8], _ type: KeyType) throws(WorkingKeyError) -> SigningCurve {
        guard let curve = type.signingCurve else {
            throw WorkingKeyError(.unsupportedOperation, "A key of type \(type.rawValue) has no public half.")
        }
        guard raw.count == curve.publicKeyLength, curve == .ed25519 || raw[0] == 0x04 else {
            throw WorkingKeyError(
                .invalidArgument, "A \(type.rawValue) public key must have \(curve.publicKeyLength) bytes.")
        }
        return curve
    }
}
