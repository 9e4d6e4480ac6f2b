import LibCrypto
public import SecretMemory

/// A lock whose key exists only while two shares are together: the caller's, which comes with each request, and the one
/// an Auth server keeps for him.
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

    public func seal(_ secret: SharedSecret, identity: RecordIdentity) async throws(EnclaveLockError) -> [UInt8] {
        let key = try await key(of: CallerShare.current)
        return try secret.withSecret { secret throws(EnclaveLockError) in
            try key.withSecret { key throws(EnclaveLockError) in
                try Envelope.seal(secret, lockKey: key, identity: identity)
            }
        }
    }

    public func open(_ sealed: [UInt8], identity: RecordIdentity) async throws(EnclaveLockError) -> SharedSecret {
        let key = try await key(of: CallerShare.current)
        do throws(EnclaveLockError) {
            return SharedSecret(
                try key.withSecret { key throws(EnclaveLockError) in
                    try Envelope.open(sealed, lockKey: key, identity: identity)
                })
        } catch {
            throw error.code == .openingFailed ? .shareDoesNotFit : error
        }
    }

    /// The lock key of a caller's share and the other one of his. Nothing tells here whether the two belong together.
    ///
    /// - Throws: `.shareMissing`, `.shareRefused`, `.remoteFailed`.
    public func key(of caller: CallerShare?) async throws(EnclaveLockError) -> SharedSecret {
        guard let user = caller?.user, !user.isEmpty else {
            throw EnclaveLockError(.shareMissing, "create shamir secret lock: validation failed: empty user")
        }
        guard let share = caller?.share, share.count > 0 else {
            throw EnclaveLockError(.shareMissing, "create shamir secret lock: validation failed: empty secret share")
        }
        // A share that cannot be one costs no question to the Auth server.
        guard ShamirShares.lengths.contains(share.count) else { throw .shareDoesNotFit }
        return try Self.lockKey(share, try await source.share(of: user))
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
