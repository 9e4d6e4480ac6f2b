/// How the keys of the sealing roles seal: what `kmsd init` chooses, or is told, once for each token.
public enum RootLockMechanism: String, Sendable, Codable, CaseIterable {
    /// AES-256-GCM inside the token, both ways.
    case aesGCM = "aes-gcm"
    /// To the public half of an agreement key; opened by ECDH inside the token.
    case ecdh = "ecdh"
    /// To the public half of an RSA key; opened by RSAES-OAEP inside the token.
    case rsaOAEP = "rsa-oaep"

    /// The kinds of key that serve it, best first.
    public var kinds: [KeyKind] {
        switch self {
        case .aesGCM: [.aes256Seal]
        case .ecdh: [.ecdhSeal]
        case .rsaOAEP: [.rsaSealSHA256, .rsaSealSHA1]
        }
    }

    /// The mechanism of a key that seals; nil for other kinds.
    public init?(_ kind: KeyKind) {
        guard let found = Self.allCases.first(where: { $0.kinds.contains(kind) }) else { return nil }
        self = found
    }
}

extension TokenManifest {
    /// How the root lock key of this token seals; nil without one.
    public var rootLockMechanism: RootLockMechanism? { self[.rootLock].flatMap { RootLockMechanism($0.kind) } }

    /// Whether keys of this token can go without one that wraps: a token whose root lock is a pair may make no AES keys.
    package var mayLackWrapping: Bool { self[.rootLock]?.kind.sealsToPublicKey == true }
}
