public import Encodings
import HybridSealing
public import SecretMemory
import Synchronization

/// A lock whose key is a home's recovery key: sealing takes its public half, opening any one of the home's lock slots.
///
/// The private half is in locked memory for the time of one opening. Nothing is sealed before a slot was opened once, since
/// only that proves whose the public half is.
///
/// - Concurrency: any number of calls at once.
public final class RecoveryLock: SecretLock {
    public let record: RecoveryRecord
    public let identity: String
    public var kind: LockKind { .recovery }

    private let recipient: HybridRecipient
    private let openers: [any SecretLock]
    private let isProven = Atomic<Bool>(false)

    /// - Parameter openers: The locks at hand, of which some may be those of slots.
    /// - Throws: `.configurationRefused` for a record whose public half is none.
    public init(record: RecoveryRecord, openers: [any SecretLock]) throws(EnclaveLockError) {
        let key: HybridRecipient
        let name: String
        do throws(HybridSealingError) {
            key = try HybridRecipient([UInt8](record.recipient))
            name = try key.fingerprint
        } catch {
            throw EnclaveLockError(.configurationRefused, "The list of lock slots is damaged: \(error.message)")
        }
        self.record = record
        self.openers = openers
        recipient = key
        identity = "recovery:" + name.prefix(32)
    }

    /// Makes a recovery key whose first slot `lock` opens.
    public static func make(
        firstSlot lock: any SecretLock, createdAt: Int64
    ) async throws(EnclaveLockError) -> RecoveryRecord {
        let (secret, recipient) = try RecoveryKey.generate()
        var record = RecoveryRecord(recipient: recipient)
        try await record.add(secret, with: lock, createdAt: createdAt)
        return record
    }

    /// Whether a slot's lock is among those at hand, whether it answers or not.
    public func isAtHand(_ slot: LockSlot) -> Bool {
        openers.contains { lock in
            guard let people = lock as? PeopleLock, slot.kind == .people else { return Self.opens(lock, slot) }
            return people.hasEnough(for: [UInt8](slot.sealed))
        }
    }

    /// The record with a further slot.
    ///
    /// - Throws: `.invalidArgument` if there are as many as may be, or one of the same name; what opening and sealing throw.
    public func adding(_ lock: any SecretLock, createdAt: Int64) async throws(EnclaveLockError) -> RecoveryRecord {
        guard record.slots.count < RecoveryRecord.mostSlots else {
            throw EnclaveLockError(
                .invalidArgument, "There are \(RecoveryRecord.mostSlots) lock slots, as many as may be; remove one.")
        }
        // Passphrases and people have no name, so two of them look alike and are not.
        if lock.kind != .passphrase, lock.kind != .people,
            let twin = record.slots.first(where: { Self.opens(lock, $0) })
        {
            throw EnclaveLockError(.invalidArgument, "Slot \(twin.id) is of this lock already.")
        }
        var record = record
        try await record.add(try await secret(), with: lock, createdAt: createdAt)
        return record
    }

    /// The record without a slot.
    ///
    /// - Throws: `.invalidArgument` for a number that no slot has, and for the only slot; what opening throws.
    public func removing(_ slot: Int) async throws(EnclaveLockError) -> RecoveryRecord {
        guard record.slots.contains(where: { $0.id == slot }) else {
            throw EnclaveLockError(.invalidArgument, "There is no lock slot \(slot).")
        }
        guard record.slots.count > 1 else {
            throw EnclaveLockError(
                .invalidArgument, "Slot \(slot) is the only one; add another before it is removed.")
        }
        let secret = try await secret()
        var record = record
        record.slots.removeAll { $0.id == slot }
        try record.authenticate(secret)
        return record
    }

    /// Opens one slot with the locks at hand.
    ///
    /// - Throws: `.noMatchingSlot` if its lock is not at hand, `.openingFailed` if it does not open what this list is
    ///   authenticated by, or what the lock throws.
    public func test(_ slot: LockSlot) async throws(EnclaveLockError) { _ = try await secret(of: slot) }

    public func seal(
        _ secret: SharedSecret, identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> [UInt8] {
        if !isProven.load(ordering: .acquiring) { _ = try await self.secret() }
        return try HybridSlotLock.seal(secret, to: recipient, identity: identity)
    }

    public func open(
        _ sealed: [UInt8], identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> SharedSecret {
        try RecoveryKey.open(sealed, with: try await secret(), as: recipient, identity: identity)
    }

    // MARK: The private half

    private static func opens(_ lock: any SecretLock, _ slot: LockSlot) -> Bool {
        lock.kind == slot.kind && lock.identity.isExactly(slot.identity)
    }

    private func secret() async throws(EnclaveLockError) -> SharedSecret {
        var failure = EnclaveLockError(.noMatchingSlot, "None of the locks at hand opens a lock slot of this home.")
        for slot in record.slots where openers.contains(where: { Self.opens($0, slot) }) {
            do throws(EnclaveLockError) {
                return try await secret(of: slot)
            } catch {
                // A lock that is away says more than a passphrase that is another slot's.
                let saysMore = error.code != .openingFailed && error.code != .noMatchingSlot
                if failure.code == .noMatchingSlot || saysMore { failure = error }
            }
        }
        throw failure
    }

    private func secret(of slot: LockSlot) async throws(EnclaveLockError) -> SharedSecret {
        var failure = EnclaveLockError(
            .noMatchingSlot, "The lock of slot \(slot.id) is not at hand: '\(slot.identity)' is not configured.")
        for lock in openers where Self.opens(lock, slot) {
            do throws(EnclaveLockError) {
                let secret = try await lock.open([UInt8](slot.sealed), identity: try record.identity(slot: slot.id))
                guard try record.isProven(by: secret) else { throw EnclaveLockError.doesNotOpen }
                isProven.store(true, ordering: .releasing)
                return secret
            } catch {
                failure = error
            }
        }
        throw failure
    }
}
