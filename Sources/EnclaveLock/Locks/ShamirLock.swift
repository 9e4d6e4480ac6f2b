public import Encodings
import LibCrypto
public import SecretMemory

/// A lock whose key exists only while two shares are together: the caller's, which comes with each request, and the one
/// an Auth server keeps for the user.
///
/// The sealed bytes are an ``Envelope``, whose commitment to its key makes them the check value of the pair: a wrong
/// share is refused at once and opens nothing.
///
/// - Source: the lock key is HKDF-SHA-256 of the combined secret without salt and info, as TrustBloc's server derives it.
public struct ShamirLock: SecretLock {
    private let source: any ShareSource

    public init(source: any ShareSource) { self.source = source }

    public var kind: LockKind { .shamir }
    /// One for all users: the slot does not tell whose shares open it.
    public var identity: String { "shamir:2of2" }

    /// Shortest combined secret of a new keystore; a shorter one could be found by trying.
    static let shortestSecret = 16

    public func seal(
        _ secret: SharedSecret, identity: RecordIdentity, caller: CallerShare?
    ) async throws(EnclaveLockError) -> [UInt8] {
        let (user, share) = try Self.presented(caller)
        guard share.count > Self.shortestSecret else {
            throw EnclaveLockError(
                .shareUnusable,
                "The secret share is of a secret of \(share.count - 1) bytes; a keystore needs shares of "
                    + "\(Self.shortestSecret) bytes or more.")
        }
        // Nothing would tell that the share which is remembered belongs to an earlier pair.
        let key = try Self.lockKey(share, try await source.currentShare(of: user))
        return try secret.withSecret { secret throws(EnclaveLockError) in
            try key.withSecret { key throws(EnclaveLockError) in
                try Envelope.seal(secret, lockKey: key, identity: identity)
            }
        }
    }

    /// Opens with the share that is remembered, and if that does not fit, with the one the source has now: the caller's
    /// shares may have been split again.
    public func open(
        _ sealed: [UInt8], identity: RecordIdentity, caller: CallerShare?
    ) async throws(EnclaveLockError) -> SharedSecret {
        let start = ContinuousClock.now
        let (user, share) = try Self.presented(caller)
        let other = try await source.share(of: user)
        do throws(EnclaveLockError) {
            return try Self.open(sealed, identity, share, other)
        } catch {
            guard error.code == .shareRefused, let fresh = try await source.freshShare(of: user, since: start),
                !Self.areEqual(fresh, other)
            else { throw error }
            return try Self.open(sealed, identity, share, fresh)
        }
    }

    /// The lock key of a caller's share and that user's other one. Nothing shows here whether the two belong together.
    ///
    /// - Throws: `.userMissing`, `.shareMissing`, `.shareRefused`, `.remoteFailed`.
    public func key(of caller: CallerShare?) async throws(EnclaveLockError) -> SharedSecret {
        let (user, share) = try Self.presented(caller)
        return try Self.lockKey(share, try await source.share(of: user))
    }

    public var shareChanges: ShareChanges? { source.changes }
    public func forgetShare(of user: String) { source.forget(user) }

    private static func presented(
        _ caller: CallerShare?
    ) throws(EnclaveLockError) -> (user: String, share: SharedSecret) {
        guard let user = caller?.user, !user.isEmpty else {
            throw EnclaveLockError(.userMissing, "The keystore is locked by shares, and no user is named.")
        }
        guard let share = caller?.share, share.count > 0 else {
            throw EnclaveLockError(.shareMissing, "The keystore is locked by shares, and no share is presented.")
        }
        // A share that cannot be one costs no question to the Auth server.
        guard ShamirShares.lengths.contains(share.count) else { throw .shareDoesNotFit }
        return (user, share)
    }

    private static func open(
        _ sealed: [UInt8], _ identity: RecordIdentity, _ first: SharedSecret, _ second: SharedSecret
    ) throws(EnclaveLockError) -> SharedSecret {
        let key = try lockKey(first, second)
        do throws(EnclaveLockError) {
            return SharedSecret(
                try key.withSecret { key throws(EnclaveLockError) in
                    try Envelope.open(sealed, lockKey: key, identity: identity)
                })
        } catch {
            throw error.code == .openingFailed ? .shareDoesNotFit : error
        }
    }

    private static func areEqual(_ first: SharedSecret, _ second: SharedSecret) -> Bool {
        first.withUnsafeBytes { first in second.withUnsafeBytes { ConstantTime.equal(first, $0) } }
    }

    static func lockKey(_ first: SharedSecret, _ second: SharedSecret) throws(EnclaveLockError) -> SharedSecret {
        let secret = try ShamirShares.combine(first, second)
        do {
            return SharedSecret(
                try HKDF.sha256(inputKey: secret, salt: [], info: [], count: Envelope.lockKeyLength))
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not derive a lock key: \(error)")
        }
    }
}
