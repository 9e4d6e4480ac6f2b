/// What one of the daemon's own keys on the token is for. Each role has exactly one purpose and the narrowest template.
public enum KeyRole: String, Sendable, CaseIterable, Codable {
    /// Seals keystore lock keys and daemon secrets.
    case rootLock = "root-lock"
    /// Seals the users' halves of split keys.
    case shareLockUser = "share-lock-user"
    /// Seals the server's halves of split keys: another key, so that no single leak joins the two.
    case shareLockServer = "share-lock-server"
    /// Signs audit checkpoints, attestations and receipts; never anything a client chose.
    case audit = "audit"
    /// Signs results of decryptions, each a ``ResultMessage``; nothing else.
    case result = "result"
    /// Wraps the blobs of token-resident keys; can neither encrypt nor decrypt data.
    case residentWrap = "resident-wrap"

    /// The kinds of key that serve the role, best first: the first one that the token makes is taken, and the manifest
    /// says which it was.
    public var kinds: [KeyKind] {
        switch self {
        case .rootLock, .shareLockUser, .shareLockServer: RootLockMechanism.allCases.flatMap(\.kinds)
        case .residentWrap: [.aes256Wrap]
        case .audit: [.ecP256]
        // What verifies results on a chain knows secp256k1; most TPMs do not.
        case .result: [.ecSecp256k1, .ecP256]
        }
    }

    /// Whether the role's key seals data.
    public var seals: Bool { kinds.contains(.aes256Seal) }

    /// Whether the role's key signs.
    public var signs: Bool { kinds.allSatisfy(\.isPair) }

    /// The roles whose key seals data.
    public static let sealing: [KeyRole] = allCases.filter(\.seals)
}

/// The kind of a role's key: algorithm and use together, because they are never separated.
public enum KeyKind: String, Sendable, Codable {
    /// AES-256 for AES-GCM.
    case aes256Seal = "AES-256-GCM"
    /// AES-256 for AES key wrap with padding (RFC 5649).
    case aes256Wrap = "AES-256-KWP"
    /// ECDSA on P-256.
    case ecP256 = "EC-P256"
    /// ECDSA on secp256k1.
    case ecSecp256k1 = "EC-secp256k1"
    /// Agreement on P-256 (ECDH), to whose public half secrets are sealed in this process.
    case ecdhSeal = "ECDH-P256"
    /// RSA of 3072 bits, to whose public half secrets are sealed in this process by RSAES-OAEP with SHA-256.
    case rsaSealSHA256 = "RSA-3072-OAEP-SHA-256"
    /// The same for tokens whose OAEP knows SHA-1 only.
    case rsaSealSHA1 = "RSA-3072-OAEP-SHA-1"

    /// Whether it is a key pair.
    package var isPair: Bool { self != .aes256Seal && self != .aes256Wrap }

    /// Whether secrets are sealed to its public half, and opened by the token with the private one.
    public var sealsToPublicKey: Bool {
        switch self {
        case .ecdhSeal, .rsaSealSHA256, .rsaSealSHA1: true
        case .aes256Seal, .aes256Wrap, .ecP256, .ecSecp256k1: false
        }
    }
}
