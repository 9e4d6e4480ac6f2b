import EnclaveLock
import Encodings
import Foundation
import SecretMemory
import Token

extension KeystoreService {
    public func createKeystore(
        controller: String, protection: Protection, lock: String?, vault: VaultLocation?,
        caller: Caller = .nobody,
        capability: @Sendable (String) throws -> [UInt8]?
    ) async throws -> KeystoreMetadata {
        try IdentifierRules.checkController(controller)
        let lock = try locks.lock(named: lock)
        return try await translated {
            if protection == .resident { _ = try requireResident() }
            let createdAt = now
            let id = try KeystoreIdentifier.make(seconds: UInt32(truncatingIfNeeded: createdAt / 1000))
            let lockKey = SharedSecret(try SecretBytes.random(count: Envelope.lockKeyLength))
            let slots = try await TokenTenant(ExactText(controller)).run {
                try await LockRecord.make(
                    sealing: lockKey, with: lock, recovery: locks.recovery, tenant: controller, keystore: id,
                    createdAt: createdAt, caller: caller.share)
            }
            var vaultRecord: [UInt8]?
            if let vault {
                vaultRecord = try await makeVault(
                    vault, protection: protection, controller: controller, keystore: id, lockKey: lockKey
                ).encoded()
            }
            var record = KeystoreRecord(
                id: id, controller: controller, protection: protection.rawValue, lockRecord: try slots.encoded(),
                capability: try capability(id), createdAt: createdAt, vault: vaultRecord, authenticator: [])
            record.authenticator = try RowAuthenticator(lockKey: lockKey).authenticator(of: record)
            try await store.insertKeystore(
                record,
                limits: KeystoreLimits(
                    controller: configuration.maximumKeystoresPerController, total: configuration.maximumKeystores,
                    maker: caller.maker))
            return Self.metadata(record)
        }
    }

    public func keystores(controller: String?, after: String?, limit: Int) async throws -> Page<KeystoreMetadata> {
        try IdentifierRules.checkPage(after: after, limit: limit)
        // The store ends a text at a NUL: what is no name would find another's.
        if let controller, !controller.isEmpty { try IdentifierRules.checkController(controller) }
        return try await translated {
            try await Self.keystores(in: store, controller: controller, after: after, limit: limit)
        }
    }

    /// What a store lists; nothing of it needs a lock or a token. Rows whose stamp does not hold are left out; what the others say of
    /// controller, protection and lock is proved when they are opened.
    public static func keystores(
        in store: any KeystoreStore, controller: String?, after: String?, limit: Int
    ) async throws -> Page<KeystoreMetadata> {
        try IdentifierRules.checkPage(after: after, limit: limit)
        let records = try await store.keystores(controller: controller, after: after, limit: limit + 1)
        let page = records.prefix(limit)
        return Page(
            items: page.filter { !$0.authenticator.isEmpty }.map { metadata($0) },
            next: records.count > limit ? page.last?.id : nil)
    }

    public func keystore(_ id: String, caller: Caller = .nobody) async throws -> KeystoreMetadata {
        try await translated { Self.metadata(try await open(id, caller).record) }
    }

    public func unverifiedRow(_ keystore: String) async throws -> UnverifiedKeystoreRow {
        try IdentifierRules.checkKeystore(keystore)
        return try await translated {
            guard let record = try await store.keystore(keystore) else { throw KMSError.noKeystore(keystore) }
            return UnverifiedKeystoreRow(controller: record.controller, capability: record.capability)
        }
    }

    public func rootCapability(_ keystore: String, caller: Caller = .nobody) async throws -> [UInt8]? {
        try await translated { try await open(keystore, caller).record.capability }
    }

    /// A damaged record shows no lock slots and no vault; using it says what is wrong.
    static func metadata(_ record: KeystoreRecord) -> KeystoreMetadata {
        let slots = (try? LockRecord(decoding: record.lockRecord))?.slots ?? []
        return KeystoreMetadata(
            id: record.id, controller: record.controller,
            // A name nobody knows promises nothing: sealed claims less.
            protection: Protection(rawValue: record.protection) ?? .sealed,
            lockSlots: slots.map { slot in
                KeystoreMetadata.LockSlotSummary(id: slot.id, kind: slot.kind.rawValue, identity: slot.identity)
            },
            vaultURL: record.vault.flatMap { try? VaultRecord(decoding: $0) }?.url,
            createdAt: Date(milliseconds: record.createdAt))
    }
}

extension Date {
    init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}
