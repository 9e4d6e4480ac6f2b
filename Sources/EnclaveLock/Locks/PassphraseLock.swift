import Dispatch
public import Encodings
import LibCrypto
public import SecretMemory
import Synchronization

/// A lock whose key is derived from a passphrase with scrypt: for machines without a token whose operator keeps the
/// passphrase elsewhere, such as in the service manager's credentials.
///
/// Sealed bytes carry their salt and cost, so nothing but the passphrase is needed to open them. Derived keys stay in
/// locked memory for the life of the lock; one process seals with one salt.
///
/// - Concurrency: any number of calls at once; derivations run one after another on a thread of their own.
public final class PassphraseLock: SecretLock {
    /// Bytes of a passphrase.
    public static let lengths = 12...1024
    /// `KMSP`, version 1, log2 N, r, p, salt.
    static let magic: [UInt8] = [0x4B, 0x4D, 0x53, 0x50, 1]
    static let saltLength = 16
    static let headerLength = magic.count + 3 + saltLength
    /// Derived keys kept at most; another salt replaces them.
    private static let mostKeys = 64

    private struct Derivation: Hashable {
        var cost: Scrypt.Cost
        var salt: [UInt8]

        var header: [UInt8] { magic + [cost.logN, cost.blockSize, cost.parallelism] + salt }
    }

    private let passphrase: SharedSecret
    private let fresh: Derivation
    private let keys = Mutex<[Derivation: SharedSecret]>([:])
    private let queue = DispatchQueue(label: "kmsd.passphrase")

    public var kind: LockKind { .passphrase }
    /// A passphrase has no public name that would not help to guess it.
    public var identity: String { "passphrase" }

    /// - Throws: `.configurationRefused` for a passphrase of another length than ``lengths``.
    public init(passphrase: SharedSecret) throws(EnclaveLockError) {
        guard Self.lengths.contains(passphrase.count) else {
            throw EnclaveLockError(
                .configurationRefused,
                "a passphrase has \(Self.lengths.lowerBound) to \(Self.lengths.upperBound) bytes")
        }
        self.passphrase = passphrase
        do {
            fresh = Derivation(cost: .interactive, salt: try Random.bytes(Self.saltLength))
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not draw a salt: \(error)")
        }
    }

    /// Whether both open what either sealed.
    func isOfSamePassphrase(as other: PassphraseLock) -> Bool {
        passphrase.withUnsafeBytes { own in other.passphrase.withUnsafeBytes { ConstantTime.equal(own, $0) } }
    }

    public func seal(
        _ secret: SharedSecret, identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> [UInt8] {
        let key = try await key(fresh)
        let envelope = try secret.withSecret { secret throws(EnclaveLockError) in
            try key.withSecret { key throws(EnclaveLockError) in
                try Envelope.seal(secret, lockKey: key, identity: identity)
            }
        }
        return fresh.header + envelope
    }

    public func open(
        _ sealed: [UInt8], identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> SharedSecret {
        guard sealed.count >= Self.headerLength + Envelope.overhead, sealed.starts(with: Self.magic) else {
            throw .doesNotOpen
        }
        let numbers = sealed[Self.magic.count..<(Self.magic.count + 3)]
        let derivation = Derivation(
            cost: Scrypt.Cost(
                logN: numbers[numbers.startIndex], blockSize: numbers[numbers.startIndex + 1],
                parallelism: numbers[numbers.startIndex + 2]),
            salt: Array(sealed[(Self.magic.count + 3)..<Self.headerLength]))
        // Only what this lock writes: a stored record must not choose how much memory a request takes.
        guard derivation.cost == .interactive else { throw .doesNotOpen }
        let key = try await key(derivation)
        return SharedSecret(
            try key.withSecret { key throws(EnclaveLockError) in
                try Envelope.open(Array(sealed[Self.headerLength...]), lockKey: key, identity: identity)
            })
    }

    private func key(_ derivation: Derivation) async throws(EnclaveLockError) -> SharedSecret {
        if let key = keys.withLock({ $0[derivation] }) { return key }
        return try await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<SharedSecret, EnclaveLockError>, Never>) in
            queue.async { continuation.resume(returning: self.derive(derivation)) }
        }.get()
    }

    /// On the queue, so the second of two callers finds what the first derived.
    private func derive(_ derivation: Derivation) -> Result<SharedSecret, EnclaveLockError> {
        if let key = keys.withLock({ $0[derivation] }) { return .success(key) }
        do {
            let key = SharedSecret(
                try passphrase.withSecret { passphrase in
                    try Scrypt.derive(
                        passphrase: passphrase, salt: derivation.salt, cost: derivation.cost,
                        count: Envelope.lockKeyLength)
                })
            keys.withLock { keys in
                if keys.count >= Self.mostKeys { keys = keys.filter { $0.key == fresh } }
                keys[derivation] = key
            }
            return .success(key)
        } catch {
            return .failure(EnclaveLockError(.internalFailure, "Could not derive a lock key: \(error)"))
        }
    }
}
