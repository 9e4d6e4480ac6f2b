import EnclaveLock
import Encodings
import Foundation
import SecretMemory
public import WorkingKeys

extension KeystoreService {
    /// Takes over a keystore of another server under its id, with a fresh lock key.
    ///
    /// - Parameters:
    ///   - lock: What seals the lock key, as in making a keystore; nil for the server's own lock.
    ///   - createdAt: Milliseconds since 1970; nil for now.
    ///   - capability: Its root capability's document.
    ///   - vault: Where its keys are to be kept; nil for here.
    /// - Returns: False if it is here already.
    /// - Throws: ``KMSError`` with `.invalidArgument`, or `.alreadyExists` if another controller's has the id.
    public func adoptKeystore(
        id: String, controller: String, createdAt: Int64?, capability: [UInt8]?, lock name: String? = nil,
        vault: VaultLocation? = nil, caller: Caller = .nobody
    ) async throws -> Bool {
        let lock = try name.map { try locks.lock(named: $0) } ?? locks.server
        try IdentifierRules.checkKeystore(id)
        try IdentifierRules.checkController(controller)
        return try await translated {
            if let found = try await store.keystore(id) {
                guard found.controller.isExactly(controller) else {
                    throw KMSError(.alreadyExists, "The keystore '\(id)' belongs to another controller.")
                }
                return false
            }
            let createdAt = createdAt ?? now
            let lockKey = SharedSecret(try SecretBytes.random(count: Envelope.lockKeyLength))
            let slots = try await LockRecord.make(
                sealing: lockKey, with: lock, recovery: locks.recovery, tenant: controller, keystore: id,
                createdAt: createdAt, caller: caller.share)
            var vaultRecord: [UInt8]?
            if let vault {
                vaultRecord = try await makeVault(
                    vault, protection: .sealed, controller: controller, keystore: id, lockKey: lockKey
                ).encoded()
            }
            var record = KeystoreRecord(
                id: id, controller: controller, protection: Protection.sealed.rawValue,
                lockRecord: try slots.encoded(), capability: capability, createdAt: createdAt, vault: vaultRecord,
                authenticator: [])
            record.authenticator = try RowAuthenticator(lockKey: lockKey).authenticator(of: record)
            try await store.insertKeystore(
                record,
                limits: KeystoreLimits(
                    controller: configuration.maximumKeystoresPerController, total: configuration.maximumKeystores))
            return true
        }
    }

    /// Takes over a key of another server with all its versions, under its id.
    ///
    /// - Parameter versions: Of one type; the last is the primary. Their output prefixes are kept.
    /// - Returns: False if it is here already.
    /// - Throws: ``KMSError`` with `.invalidArgument`, `.notFound`; `.alreadyExists` if another key has the id.
    public func adoptKey(keystore: String, id: String, versions: [KeyMaterial], caller: Caller = .nobody) async throws
        -> Bool
    {
        try IdentifierRules.checkKey(id)
        return try await translated {
            let keystore = try await open(keystore, caller)
            guard let primary = versions.last, versions.allSatisfy({ $0.type == primary.type }),
                versions.count <= min(configuration.maximumVersionsPerKey, primary.type.maximumVersions ?? .max)
            else { throw KMSError(.invalidArgument, "A key has one type, and not more versions than allowed.") }
            guard keystore.protection == .sealed else {
                throw KMSError(.mechanismUnsupported, "A resident keystore takes no key from elsewhere.")
            }
            if let found = try await store.key(keystore: keystore.record.id, id: id) {
                guard try keystore.rows.accepts(found), found.publicKey == primary.publicKey,
                    found.type == primary.type.rawValue
                else { throw KMSError(.alreadyExists, "Another key has the id '\(id)'.") }
                return false
            }
            let createdAt = now
            var record = KeyRecord(
                keystore: keystore.record.id, id: id, type: primary.type.rawValue, state: KeyState.enabled.rawValue,
                protection: keystore.protection.rawValue, provenance: Provenance.imported.rawValue,
                createdAt: createdAt, destroyAt: nil, publicKey: primary.publicKey, versions: [], authenticator: [])
            for (index, material) in versions.enumerated() {
                let secret = try makingRoom { SharedSecret(try material.serialized()) }
                let number = UInt64(index + 1)
                record.versions.append(
                    KeyRecord.Version(
                        version: number, createdAt: createdAt,
                        sealed: try keystore.seal(secret, key: id, type: record.type, version: number)))
            }
            record.authenticator = try keystore.rows.authenticator(of: record)
            try await insert(record, in: keystore)
            return true
        }
    }
}
