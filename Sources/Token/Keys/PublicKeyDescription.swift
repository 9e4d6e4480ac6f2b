/// A public key of the token.
public struct PublicKeyDescription: Hashable, Sendable, Codable {
    /// The curve's name as in JSON Web Keys, such as `P-256`.
    public var curve: String
    /// 04 ‖ X ‖ Y.
    public var point: [UInt8]
    /// SubjectPublicKeyInfo in DER.
    public var subjectPublicKeyInfo: [UInt8]
    /// SHA-256 of `subjectPublicKeyInfo` in hex.
    public var fingerprint: String

    public init(curve: String, point: [UInt8], subjectPublicKeyInfo: [UInt8], fingerprint: String) {
        self.curve = curve
        self.point = point
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
        self.fingerprint = fingerprint
    }
}
