import EnclaveLock
import Encodings
import Foundation
import SecretMemory
import Synchronization
import WorkingKeys

extension KeystoreService {
    /// `RecordIdentity/type` of a keystore's sealed keys for its vault.
    private static let recipientType = "vault-recipient-key"
    private static let macType = "vault-mac-key"

    // MARK: A keystore's vault

    /// Makes the vault record of a new keystore and proves that the vault can be called.
    ///
    /// - Throws: `.invalidArgument` for a location that cannot be used or a capability for no key of the daemon's;
    ///   `.mechanismUnsupported` for resident keys; `.upstreamFailed`.
    func makeVault(
        _ location: VaultLocation, protection: Protection, controller: String, keystore: String, lockKey: SharedSecret
    ) async throws -> VaultRecord {
        guard protection == .sealed else {
            throw KMSError(
                .mechanismUnsupported, "Keys of a resident keystore are not kept in a vault; use 'sealed' protection.")
        }
        let vaults = try requireVaults()
        let invoker: String
        if let awaited = location.awaitingInvoker {
            try vaults.check(url: location.url)
            invoker = awaited
        } else {
            invoker = try vaults.invoker(of: location)
        }
        // Before it is looked, so that it cannot be removed behind the look.
        didsInUse.insert(invoker)
        guard try await store.didKey(invoker) != nil else {
            didsInUse.remove(invoker)
            throw KMSError(
                .invalidArgument,
                "The vault's capability names an invoker that is no key of this daemon; delegate it to a key that "
                    + "POST /v1/keystores/did made.")
        }
        let keys = (
            recipient: try makingRoom { try KeyMaterial.generate(.nistP256ECDHKW) },
            mac: try makingRoom { try KeyMaterial.generate(.hmacSHA256Tag256) }
        )
        func seal(_ key: KeyMaterial, _ type: String) throws -> [UInt8] {
            let secret = try key.serialized()
            return try lockKey.withSecret { lockKey in
                try Envelope.seal(
                    secret, lockKey: lockKey, identity: Self.vaultIdentity(controller, keystore, type))
            }
        }
        let record = VaultRecord(
            location: location, invoker: invoker, recipientKey: try seal(keys.recipient, Self.recipientType),
            macKey: try seal(keys.mac, Self.macType))
        guard !record.awaitsCapability else { return record }
        let vault = try vaults.open(
            location,
            keys: VaultKeys(
                recipient: try WorkingKey(versions: [keys.recipient], primary: 0),
                mac: try WorkingKey(versions: [keys.mac], primary: 0)),
            signingKey: signer(invoker))
        try await vault.probe()
        return record
    }

    public func setVaultCapability(keystore id: String, capability: [UInt8], caller: Caller = .nobody) async throws {
        try await translated {
            let keystore = try await open(id, caller)
            guard var vault = keystore.vault else {
                throw KMSError(.invalidArgument, "The keystore '\(id)' keeps its keys here, not in a vault.")
            }
            let location = VaultLocation(url: vault.url, capability: capability)
            guard try requireVaults().invoker(of: location).isExactly(vault.invoker) else {
                throw KMSError(
                    .invalidArgument, "The vault's capability must name '\(vault.invoker)' as its invoker.")
            }
            vault.capability = Data(capability)
            var record = keystore.record
            record.vault = try vault.encoded()
            record.authenticator = try keystore.rows.authenticator(of: record)
            let changed = try OpenKeystore(record: record, lease: keystore.lease, meters: meters)
            try await self.vault(of: changed)?.probe()
            guard try await store.updateVault(record, expecting: keystore.record.authenticator) else {
                throw KMSError(.conflict, "The keystore's vault was changed by another request; try again.")
            }
            forgetRow(of: id)
        }
    }

    /// The vault of a keystore; nil for one that keeps its keys here.
    func vault(of keystore: OpenKeystore) throws -> (any KeyVault)? {
        guard let vault = keystore.vault else { return nil }
        guard !vault.awaitsCapability else {
            throw KMSError(
                .invalidArgument,
                "The keystore's vault cannot be used before its capability, delegated to '\(vault.invoker)', is stored with "
                    + "POST /kms/keystores/\(keystore.record.id)/capability.")
        }
        let keys = try makingRoom {
            VaultKeys(
                recipient: try openVaultKey([UInt8](vault.recipientKey), Self.recipientType, in: keystore),
                mac: try openVaultKey([UInt8](vault.macKey), Self.macType, in: keystore))
        }
        return try requireVaults().open(vault.location, keys: keys, signingKey: signer(vault.invoker))
    }

    private func openVaultKey(_ sealed: [UInt8], _ type: String, in keystore: OpenKeystore) throws -> WorkingKey {
        let secret = try keystore.lockKey.withSecret { lockKey in
            try Envelope.open(
                sealed, lockKey: lockKey,
                identity: Self.vaultIdentity(keystore.record.controller, keystore.record.id, type))
        }
        return try WorkingKey(versions: [try KeyMaterial(deserializing: secret)], primary: 0)
    }

    private func signer(_ invoker: String) -> @Sendable () async throws -> WorkingKey {
        { [self] in try await didKey(invoker) }
    }

    private func requireVaults() throws -> any VaultOpening {
        guard let vaults else {
            throw KMSError(.mechanismUnsupported, "This daemon calls no vaults; leave 'edv' out.")
        }
        return vaults
    }

    private static func vaultIdentity(_ controller: String, _ keystore: String, _ type: String) -> RecordIdentity {
        RecordIdentity(tenant: controller, keystore: keystore, key: "", type: type, version: 1)
    }

    // MARK: Keys

    /// Stores a new key: its sealed bytes in the vault first, if there is one, then its row here. What fails leaves no
    /// row, and at worst a document that nothing refers to.
    func insert(_ record: KeyRecord, in keystore: OpenKeystore) async throws {
        let limit = configuration.maximumKeysPerKeystore
        guard let vault = try vault(of: keystore) else {
            try await store.insertKey(record, limit: limit)
            return
        }
        let address = KeyAddress(keystore: record.keystore, key: record.id)
        try reserve(address)
        defer { release(address) }
        // Before the vault is asked, so that a document of a key that exists is never overwritten.
        guard try await store.key(keystore: record.keystore, id: record.id) == nil else {
            throw KMSError(.alreadyExists, "The key id '\(record.id)' is taken in this keystore.")
        }
        try await vault.write(try VaultedKey(record).encoded(), for: record.id)
        do {
            try await store.insertKey(record.withoutSealedBytes, limit: limit)
        } catch {
            try? await vault.remove(record.id)
            throw error
        }
    }

    /// Stores `record` in place of the key `old`. The new document is in the vault before the old one leaves it.
    ///
    /// - Returns: Whether the old row was still `expected`.
    func replace(
        _ old: String, with record: KeyRecord, expecting expected: [UInt8], in keystore: OpenKeystore
    ) async throws -> Bool {
        guard let vault = try vault(of: keystore) else {
            return try await store.replaceKey(id: old, with: record, expecting: expected)
        }
        let address = KeyAddress(keystore: record.keystore, key: record.id)
        try reserve(address)
        defer { release(address) }
        try await vault.write(try VaultedKey(record).encoded(), for: record.id)
        let replaced: Bool
        do {
            replaced = try await store.replaceKey(id: old, with: record.withoutSealedBytes, expecting: expected)
        } catch {
            try? await vault.remove(record.id)
            throw error
        }
        // The old document's name is used no more, and its row is gone: what stays behind opens no use.
        try? await vault.remove(replaced ? old : record.id)
        return replaced
    }

    /// The row with its sealed bytes, from the vault if the keystore has one.
    ///
    /// - Throws: `.notFound` if the vault has no document of the key; `.upstreamFailed`.
    func complete(_ record: KeyRecord, in keystore: OpenKeystore) async throws -> KeyRecord {
        guard !record.versions.isEmpty, let vault = try vault(of: keystore) else { return record }
        let address = KeyAddress(keystore: record.keystore, key: record.id)
        guard let document = try await documentReads.document(at: address, in: vault) else {
            throw KMSError(
                .notFound, "The keystore's vault has no document of key '\(record.id)'; put it back to use the key.")
        }
        return try VaultedKey.completing(record, with: document)
    }

    private func reserve(_ address: KeyAddress) throws {
        guard vaultWrites.withLock({ $0.insert(address).inserted }) else {
            throw KMSError(.alreadyExists, "The key id '\(address.key)' is being stored by another request.")
        }
    }

    private func release(_ address: KeyAddress) { _ = vaultWrites.withLock { $0.remove(address) } }
}
