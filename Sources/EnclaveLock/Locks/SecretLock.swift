public import SecretMemory

/// Kinds of lock.
public enum LockKind: String, Codable, Sendable, CaseIterable {
    case token
    case localFile
    case passphrase
    /// A key of AWS KMS.
    case aws
    /// Shares of the caller and of an Auth server.
    case shamir

    /// The name in settings and requests.
    public var name: String { self == .localFile ? "local" : rawValue }
}

/// Something that seals secrets of the daemon, above all keystore lock keys, before they are stored.
///
/// - Concurrency: any number of calls at once.
public protocol SecretLock: Sendable {
    var kind: LockKind { get }
    /// Which lock of its kind; stable, public, written into lock slots.
    var identity: String { get }

    /// Seals a secret for one record.
    ///
    /// - Throws: `.tokenFailed`, `.invalidArgument`, `.internalFailure`.
    func seal(_ secret: SharedSecret, identity: RecordIdentity) async throws(EnclaveLockError) -> [UInt8]

    /// Opens what ``seal(_:identity:)`` made.
    ///
    /// - Throws: `.openingFailed` for anything else than the sealed bytes and their identity; `.tokenFailed`.
    func open(_ sealed: [UInt8], identity: RecordIdentity) async throws(EnclaveLockError) -> SharedSecret
}
