/// Public keys as X.509 writes them.
public enum SubjectPublicKeyInfo {
    /// Content of id-ecPublicKey, 1.2.840.10045.2.1 (RFC 5480 §2.1.1).
    static let ecPublicKey: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]
    /// Content of id-Ed25519, 1.3.101.112 (RFC 8410 §3).
    static let ed25519: [UInt8] = [0x2B, 0x65, 0x70]

    /// Wraps a raw public key (32 bytes for Ed25519, else 0x04 ‖ X ‖ Y) of a named curve.
    public static func encode(curve: SigningCurve, publicKey: [UInt8]) -> [UInt8] {
        precondition(publicKey.count == curve.publicKeyLength, "a raw public key has its curve's length")
        let algorithm =
            if let group = curve.group {
                DERWriter.element(DERTag.objectIdentifier, ecPublicKey)
                    + DERWriter.element(DERTag.objectIdentifier, group.identifier)
            } else {
                DERWriter.element(DERTag.objectIdentifier, ed25519)
            }
        return DERWriter.element(
            DERTag.sequence,
            DERWriter.element(DERTag.sequence, algorithm) + DERWriter.element(DERTag.bitString, [0] + publicKey))
    }
}
