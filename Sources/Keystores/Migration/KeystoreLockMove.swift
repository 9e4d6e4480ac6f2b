public import EnclaveLock
import Encodings
import Foundation
public import SecretMemory

/// The lock keys of keystores that a token seals, one slot of each keystore's lock record. Its other slots stay.
///
/// A form is the keystore's new authenticator (32 bytes) and its new lock record.
public struct KeystoreLockMove: TokenSealedStore {
    public let kind = "keystores"
    private static let pageLength = 32
    private static let authenticatorLength = 32

    private let store: SQLiteKeystoreStore
    private let source: String
    private let target: String

    /// - Parameters:
    ///   - source: The identity of the token's lock.
    ///   - target: That of the other token's.
    public init(store: SQLiteKeystoreStore, source: String, target: String) {
        self.store = store
        self.source = source
        self.target = target
    }

    public func page(after: String?) async throws -> (secrets: [TokenSealedSecret], end: String?) {
        let records = try await store.keystores(controller: nil, after: after, limit: Self.pageLength)
        return (records.compactMap(secret), records.last?.id)
    }

    /// Nil for a keystore that the token does not lock, or whose record is damaged: then nothing opens it here either.
    private func secret(_ record: KeystoreRecord) -> TokenSealedSecret? {
        guard let slots = try? LockRecord(decoding: record.lockRecord), let slot = Self.slot(of: source, slots) else {
            return nil
        }
        return TokenSealedSecret(
            name: record.id, sealed: Array(slot.sealed),
            context: LockRecord.identity(tenant: record.controller, keystore: record.id, slot: slot.id).associatedData,
            targetContext: LockRecord.identity(
                tenant: record.controller, keystore: record.id, slot: Self.next(slots)
            ).associatedData,
            content: record.authenticator + record.lockRecord)
    }

    private static func slot(of identity: String, _ slots: LockRecord) -> LockSlot? {
        slots.slots.first { $0.kind == .token && $0.identity.isExactly(identity) }
    }

    /// A number is never used again.
    private static func next(_ slots: LockRecord) -> Int { (slots.slots.map(\.id).max() ?? 0) + 1 }

    public func form(of secret: TokenSealedSecret, opened: SharedSecret, sealed: [UInt8]) async throws -> [UInt8] {
        var record = try await current(secret)
        let rows = try RowAuthenticator(lockKey: opened)
        // A row that was edited gets no authenticator that fits.
        guard try rows.accepts(record) else { throw KMSError.damaged("keystore '\(record.id)'") }
        var slots = try LockRecord(decoding: record.lockRecord)
        let slot = LockSlot(
            id: Self.next(slots), kind: .token, identity: target, sealed: Data(sealed),
            createdAt: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
        slots.slots.removeAll { $0.kind == .token && $0.identity.isExactly(source) }
        slots.slots.append(slot)
        record.lockRecord = try slots.encoded()
        return try rows.authenticator(of: record) + record.lockRecord
    }

    public func sealed(inForm form: [UInt8]) throws -> [UInt8] {
        let slots = try LockRecord(decoding: Array(form.dropFirst(Self.authenticatorLength)))
        guard let slot = Self.slot(of: target, slots) else {
            throw EnclaveLockError(.openingFailed, "A form has no slot of the token that it is for.")
        }
        return Array(slot.sealed)
    }

    public func accepts(_ form: [UInt8], of secret: TokenSealedSecret, opened: SharedSecret) async throws -> Bool {
        var record = try await current(secret)
        let rows = try RowAuthenticator(lockKey: opened)
        guard try rows.accepts(record) else { return false }
        record.authenticator = Array(form.prefix(Self.authenticatorLength))
        record.lockRecord = Array(form.dropFirst(Self.authenticatorLength))
        return try rows.accepts(record)
    }

    public func put(_ form: [UInt8], insteadOf secret: TokenSealedSecret) async throws -> Bool {
        var record = try await current(secret)
        record.authenticator = Array(form.prefix(Self.authenticatorLength))
        record.lockRecord = Array(form.dropFirst(Self.authenticatorLength))
        let expected = Array(secret.content.prefix(Self.authenticatorLength))
        return try await store.updateLockRecord(record, expecting: expected)
    }

    private func current(_ secret: TokenSealedSecret) async throws -> KeystoreRecord {
        guard let record = try await store.keystore(secret.name),
            record.authenticator + record.lockRecord == secret.content
        else { throw Self.changed(secret.name) }
        return record
    }

    private static func changed(_ name: String) -> KMSError {
        KMSError(.conflict, "The keystore '\(name)' was changed meanwhile; try again.")
    }
}
