public import Encodings
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
    /// The home's recovery key, which its lock slots open.
    case recovery
    /// The public key of a token that need not be there to seal.
    case hybrid
    /// Several people of whom some suffice.
    case people

    /// Whether a keystore's lock record may have a slot of it; the others are for the slots of a home alone.
    public var locksKeystores: Bool { self != .hybrid && self != .people }

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
    /// - Parameter caller: What whoever asks presents; nil for the daemon itself. Only a lock of shares looks at it.
    /// - Throws: `.tokenFailed`, `.invalidArgument`, `.internalFailure`; a lock of shares `.userMissing`, `.shareMissing`,
    ///   `.shareRefused`, `.shareUnusable`, `.remoteFailed`.
    func seal(
        _ secret: SharedSecret, identity: RecordIdentity, caller: CallerShare?
    ) async throws(EnclaveLockError) -> [UInt8]

    /// Opens what ``seal(_:identity:caller:)`` made.
    ///
    /// - Throws: `.openingFailed` for anything else than the sealed bytes and their identity; `.tokenFailed`; a lock of
    ///   shares as in sealing.
    func open(
        _ sealed: [UInt8], identity: RecordIdentity, caller: CallerShare?
    ) async throws(EnclaveLockError) -> SharedSecret

    /// Shows that the lock works. A lock that costs somebody's quota answers from memory for a while.
    ///
    /// - Throws: What sealing and opening throw.
    func probe() async throws(EnclaveLockError)

    /// The last refusal that only an operator can end, such as that the lock's key is disabled; nil since it last worked.
    var refusal: EnclaveLockError? { get }

    /// Where it is told that a user's shares were split again; nil for a lock without shares.
    var shareChanges: ShareChanges? { get }

    /// Forgets what is remembered of a user's share.
    func forgetShare(of user: String)
}

extension SecretLock {
    /// Seals a secret of the daemon itself.
    public func seal(_ secret: SharedSecret, identity: RecordIdentity) async throws(EnclaveLockError) -> [UInt8] {
        try await seal(secret, identity: identity, caller: nil)
    }

    /// Opens a secret of the daemon itself.
    public func open(_ sealed: [UInt8], identity: RecordIdentity) async throws(EnclaveLockError) -> SharedSecret {
        try await open(sealed, identity: identity, caller: nil)
    }

    /// Seals and opens a random value.
    public func probe() async throws(EnclaveLockError) {
        let identity = RecordIdentity(tenant: "", keystore: "", key: "", type: "readiness-probe", version: 1)
        let secret: SharedSecret
        do {
            secret = SharedSecret(try SecretBytes.random(count: Envelope.lockKeyLength))
        } catch {
            throw EnclaveLockError(.internalFailure, "No locked memory for a probe of the lock: \(error)")
        }
        let opened = try await open(try await seal(secret, identity: identity), identity: identity)
        guard secret.withSecret({ secret in opened.withSecret { secret.constantTimeEquals($0) } }) else {
            throw EnclaveLockError(
                .internalFailure, "The secret lock gave back another secret than it was given.")
        }
    }

    public var refusal: EnclaveLockError? { nil }
    public var shareChanges: ShareChanges? { nil }
    public func forgetShare(of user: String) {}
}
