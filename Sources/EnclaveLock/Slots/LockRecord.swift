public import Encodings
import Foundation
public import SecretMemory

/// A keystore's lock key as stored: a list of slots, any one of which opens it. Adding or removing a slot touches no
/// working key.
public struct LockRecord: Codable, Sendable, Hashable {
    /// The format; see `docs/FORMATS.md`.
    public static let currentVersion = 1
    /// ``RecordIdentity/type`` of a sealed lock key.
    public static let secretType = "keystore-lock-key"

    public var version: Int
    public var slots: [LockSlot]

    public init(slots: [LockSlot]) {
        version = Self.currentVersion
        self.slots = slots
    }

    /// Whether a caller must present a share, whatever is in memory.
    public var needsShare: Bool { slots.contains { $0.kind == .shamir } }

    /// Seals a lock key into a record of one slot, or of two.
    ///
    /// - Parameters:
    ///   - recovery: A further lock that shall open it. A keystore that is locked by shares has none: it is nobody's without
    ///     its caller.
    ///   - caller: What whoever asks presents, for a lock of shares.
    /// - Throws: as ``SecretLock/seal(_:identity:caller:)``.
    public static func make(
        sealing lockKey: SharedSecret, with lock: any SecretLock, recovery: (any SecretLock)? = nil, tenant: String,
        keystore: String, createdAt: Int64, caller: CallerShare? = nil
    ) async throws(EnclaveLockError) -> LockRecord {
        let sealed = try await lock.seal(
            lockKey, identity: identity(tenant: tenant, keystore: keystore, slot: 1), caller: caller)
        var record = LockRecord(slots: [
            LockSlot(
                id: 1, kind: lock.kind, identity: lock.identity, sealed: Data(sealed), createdAt: createdAt)
        ])
        guard let recovery, lock.kind != .shamir, lock.kind != recovery.kind else { return record }
        try await record.add(
            lockKey, with: recovery, tenant: tenant, keystore: keystore, createdAt: createdAt)
        return record
    }

    /// Whether this lock has a slot here.
    public func hasSlot(of lock: any SecretLock) -> Bool {
        slots.contains { $0.kind == lock.kind && $0.identity.isExactly(lock.identity) }
    }

    /// Seals the lock key for a further lock, in place of an earlier one of its kind.
    public mutating func add(
        _ lockKey: SharedSecret, with lock: any SecretLock, tenant: String, keystore: String, createdAt: Int64
    ) async throws(EnclaveLockError) {
        // A number is never used again while the slot that had it may be somewhere.
        let id = (slots.map(\.id).max() ?? 0) + 1
        let sealed = try await lock.seal(
            lockKey, identity: Self.identity(tenant: tenant, keystore: keystore, slot: id), caller: nil)
        slots.removeAll { $0.kind == lock.kind }
        slots.append(
            LockSlot(id: id, kind: lock.kind, identity: lock.identity, sealed: Data(sealed), createdAt: createdAt))
    }

    /// Opens the lock key with the first lock that has a slot here.
    ///
    /// - Parameter caller: What whoever asks presents, for a lock of shares.
    /// - Throws: `.noMatchingSlot` if no lock has one; otherwise what the last matching lock threw.
    public func open(
        with locks: [any SecretLock], tenant: String, keystore: String, caller: CallerShare? = nil
    ) async throws(EnclaveLockError) -> SharedSecret {
        var failure = EnclaveLockError(
            .noMatchingSlot, "None of the keystore's lock slots belongs to a configured secret lock.")
        for slot in slots {
            for lock in locks where lock.kind == slot.kind && lock.identity.isExactly(slot.identity) {
                do throws(EnclaveLockError) {
                    return try await lock.open(
                        Array(slot.sealed),
                        identity: Self.identity(tenant: tenant, keystore: keystore, slot: slot.id), caller: caller)
                } catch {
                    failure = error
                }
            }
        }
        throw failure
    }

    /// Canonical JSON: sorted members, no white space.
    public func encoded() throws(EnclaveLockError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(self))
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not encode a lock record: \(error)")
        }
    }

    /// - Throws: `.openingFailed` for anything that is not a lock record of version 1 with at least one slot and no
    ///   slot number twice.
    public init(decoding bytes: [UInt8]) throws(EnclaveLockError) {
        guard let record = try? JSONDecoder().decode(LockRecord.self, from: Data(bytes)),
            record.version == Self.currentVersion, !record.slots.isEmpty,
            record.slots.allSatisfy({ $0.id > 0 }), Set(record.slots.map(\.id)).count == record.slots.count
        else { throw .doesNotOpen }
        self = record
    }

    /// What the sealed lock key in a slot is bound to.
    public static func identity(tenant: String, keystore: String, slot: Int) -> RecordIdentity {
        RecordIdentity(
            tenant: tenant, keystore: keystore, key: "", type: secretType, version: UInt64(clamping: slot))
    }
}
