public import Encodings
public import Foundation
import HybridSealing
import LibCrypto
public import SecretMemory

/// The lock slots of a home: its recovery key's public half, and the private half sealed once for each slot. Any one slot opens
/// it.
///
/// Who opens the private half proves the rest: the public half is computed again, and the list has an authenticator under a key
/// that only the private half gives. So nobody puts another public key there, or another slot, without one that opens.
public struct RecoveryRecord: Codable, Sendable, Hashable {
    /// The format; see `docs/FORMATS.md`.
    public static let currentVersion = 1
    /// ``RecordIdentity/type`` of the sealed private half.
    public static let secretType = "recovery-key"
    /// Slots at most: with a passphrase each one may cost a derivation.
    public static let mostSlots = 16
    /// Longest encoded form in bytes: more than ``mostSlots`` slots of as many people as may be, each with a public key.
    public static let longest = 1 << 20

    public var version: Int
    /// ML-KEM encapsulation key ‖ point.
    public var recipient: Data
    /// The number that the next slot gets; a number is never given twice.
    public var next: Int
    public var slots: [LockSlot]
    public var authenticator: Data

    /// Canonical JSON: sorted members, no white space, a line break at the end.
    public func encoded() throws(EnclaveLockError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(self)) + [0x0A]
        } catch {
            throw EnclaveLockError(.internalFailure, "Could not encode the lock slots: \(error)")
        }
    }

    /// - Throws: `.configurationRefused` for anything that is no list of slots of version 1.
    public init(decoding bytes: [UInt8]) throws(EnclaveLockError) {
        func refused(_ what: String) -> EnclaveLockError {
            EnclaveLockError(.configurationRefused, "The list of lock slots \(what); restore it from the backup.")
        }
        guard bytes.count <= Self.longest else { throw refused("is longer than \(Self.longest) bytes") }
        guard let record = try? JSONDecoder().decode(RecoveryRecord.self, from: Data(bytes)) else {
            throw refused("is damaged")
        }
        guard record.version == Self.currentVersion else {
            throw refused("has version \(record.version), and this kmsd knows \(Self.currentVersion)")
        }
        guard (1...Self.mostSlots).contains(record.slots.count),
            record.slots.allSatisfy({ $0.id > 0 && $0.id < record.next }),
            Set(record.slots.map(\.id)).count == record.slots.count,
            (try? HybridRecipient([UInt8](record.recipient)))?.suite == RecoveryKey.suite
        else { throw refused("is damaged") }
        self = record
    }

    init(recipient: HybridRecipient) {
        version = Self.currentVersion
        self.recipient = Data(recipient.bytes)
        next = 1
        slots = []
        authenticator = Data()
    }

    /// SHA-256 of the public half in hex.
    var fingerprint: String {
        get throws(EnclaveLockError) {
            do {
                return try HybridRecipient([UInt8](recipient)).fingerprint
            } catch {
                throw EnclaveLockError.failed("Could not name a recovery key", error)
            }
        }
    }

    /// What a slot's sealed bytes are bound to.
    public func identity(slot: Int) throws(EnclaveLockError) -> RecordIdentity {
        RecordIdentity(
            tenant: "", keystore: "", key: try fingerprint, type: Self.secretType, version: UInt64(clamping: slot))
    }

    /// Adds a slot that a lock seals; the list is authenticated anew.
    mutating func add(
        _ secret: SharedSecret, with lock: any SecretLock, createdAt: Int64
    ) async throws(EnclaveLockError) {
        let sealed = try await lock.seal(secret, identity: try identity(slot: next), caller: nil)
        slots.append(
            LockSlot(id: next, kind: lock.kind, identity: lock.identity, sealed: Data(sealed), createdAt: createdAt))
        next += 1
        try authenticate(secret)
    }

    /// The record with another lock's slot in place of one; the list is authenticated anew.
    ///
    /// - Parameters:
    ///   - slot: The number of the slot that goes.
    ///   - other: Numbered ``next``, with the private half sealed for that number.
    ///   - secret: The private half.
    /// - Throws: `.openingFailed` if it is not this home's.
    public func replacing(
        slot: Int, by other: LockSlot, opened secret: SharedSecret
    ) throws(EnclaveLockError) -> RecoveryRecord {
        guard try isProven(by: secret), other.id == next else { throw .doesNotOpen }
        var record = self
        record.slots.removeAll { $0.id == slot }
        record.slots.append(other)
        record.next += 1
        try record.authenticate(secret)
        return record
    }

    /// Whether a private half is this home's and the list what was written with it.
    public func accepts(_ secret: SharedSecret) throws(EnclaveLockError) -> Bool { try isProven(by: secret) }

    mutating func authenticate(_ secret: SharedSecret) throws(EnclaveLockError) {
        authenticator = Data(try RecoveryKey.authenticator(of: fields, with: secret))
    }

    /// Whether a private half is this home's, and the list what was written with it.
    func isProven(by secret: SharedSecret) throws(EnclaveLockError) -> Bool {
        guard try RecoveryKey.recipient(of: secret).bytes == [UInt8](recipient) else { return false }
        return ConstantTime.equal(try RecoveryKey.authenticator(of: fields, with: secret), [UInt8](authenticator))
    }

    private var fields: RecordFields {
        var fields = RecordFields(.slotList)
        fields.append(UInt64(clamping: version))
        fields.append([UInt8](recipient))
        fields.append(UInt64(clamping: next))
        fields.append(UInt64(slots.count))
        for slot in slots {
            fields.append(UInt64(clamping: slot.id))
            fields.append(slot.kind.rawValue)
            fields.append(slot.identity)
            fields.append([UInt8](slot.sealed))
            fields.append(UInt64(bitPattern: slot.createdAt))
        }
        return fields
    }
}
