/// Bounds and lifetimes of the keystore service.
public struct KeystoreConfiguration: Sendable, Hashable {
    /// How long an opened keystore lock key, and every key opened with it, may stay in locked memory. Zero keeps
    /// nothing: every request asks the secret lock.
    public var lockKeyTTL: Duration = .seconds(600)
    /// How long the lock key of a keystore that is locked by shares may stay, if that is shorter.
    public var shareTTL: Duration = .seconds(600)
    /// Most lock keys held at once.
    public var lockKeyCacheSize: Int = 4_096
    /// Most opened keys held at once.
    public var keyCacheSize: Int = 20_000
    /// How long a key waits for its destruction when the caller does not say. Zero destroys at once.
    public var destroyGrace: Duration = .seconds(24 * 3600)
    /// Longest message, ciphertext or associated data, in bytes.
    public var maximumMessageBytes: Int = 1 << 20
    /// Whether secp256k1 signatures are the bare 64 bytes instead of carrying the key's 5-byte prefix.
    public var rawSecp256k1Signatures = false
    /// Most key ids in one keystore, destroyed ones included.
    public var maximumKeysPerKeystore: Int = 1_000_000
    /// Most versions of one key, since each use of the key opens all.
    public var maximumVersionsPerKey: Int = 1_000
    /// Most keystores of one controller.
    public var maximumKeystoresPerController: Int = 1_000_000
    /// Most keystores of all; 0 for no bound.
    public var maximumKeystores: Int = 10_000_000
    /// Most signing keys of the daemon's own; making one is open to whoever may make a keystore.
    public var maximumDIDKeys: Int = 100_000
    /// How long such a key may wait for a vault that names it before it is removed; zero removes none.
    public var didKeyGrace: Duration = .seconds(24 * 3600)

    public init() {}
}
