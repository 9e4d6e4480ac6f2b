/// Why a decryption was refused or failed. No message repeats a ciphertext, a plaintext or a key.
public struct DecryptionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it is; fronts map it to their statuses.
    public enum Kind: Sendable, Hashable {
        /// The request itself is wrong.
        case invalid
        /// A signature of the requester does not hold.
        case unauthenticated
        /// Everything is well formed, and does not permit it.
        case denied
        case notFound
        case alreadyExists
        /// It may be right later, or with other settings: a height, an expired trust, a disabled key.
        case precondition
        case exhausted
        /// The light client or the token is away.
        case unavailable
        case unimplemented
        case late
        case failed
    }

    public var kind: Kind
    /// A short stable word, as the audit chain and metrics have it.
    public var reason: String
    public var message: String

    public init(_ kind: Kind, _ reason: String, _ message: String) {
        self.kind = kind
        self.reason = reason
        self.message = message
    }

    public var description: String { "\(reason): \(message)" }

    static func invalid(_ reason: String, _ message: String) -> DecryptionError {
        DecryptionError(.invalid, reason, message)
    }

    static func denied(_ reason: String, _ message: String) -> DecryptionError {
        DecryptionError(.denied, reason, message)
    }

    /// Something that this process could not do; the cause goes to nobody.
    static func failed(_ what: String) -> DecryptionError { DecryptionError(.failed, "internal", what) }
}
