public import Encodings
public import SecretMemory

/// What opens the records of a dump, beside the main keys in it.
public struct TrustBlocLocks: Sendable {
    /// The lock of the server itself.
    public enum Server: Sendable {
        /// A local key file: the key, 32 bytes.
        case local(SharedSecret)
        /// A lock that is asked: gives the text it protects, or nil for bytes it did not make. What it throws ends the
        /// reading, since the next record would fare no better.
        case remote(@Sendable (_ locked: [UInt8]) async throws -> SharedSecret?)
    }

    /// Nil if nothing locked by the server itself is wanted.
    public var server: Server?
    /// Lock keys by keystore, of keystores that are locked by shares.
    public var shares: [ExactText: SharedSecret]

    public init(server: Server?, shares: [ExactText: SharedSecret] = [:]) {
        self.server = server
        self.shares = shares
    }
}
