/// The signature algorithms tokens may have (RFC 7518 §3.1, RFC 8037 §3.1). Names are compared letter by letter.
public enum BearerAlgorithm: String, Sendable, Hashable, CaseIterable {
    /// HMAC with SHA-256 and a shared secret.
    case hs256 = "HS256"
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    case rs256 = "RS256"
    /// ECDSA on P-256 with SHA-256.
    case es256 = "ES256"
    /// Ed25519.
    case edDSA = "EdDSA"

    /// Whether keys of a key set verify it, rather than the shared secret.
    public var isAsymmetric: Bool { self != .hs256 }
}
