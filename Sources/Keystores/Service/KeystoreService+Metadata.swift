import Foundation
import WorkingKeys

extension KeystoreService {
    public func keys(keystore: String, after: String?, limit: Int, caller: Caller = .nobody) async throws -> Page<
        KeyMetadata
    > {
        try IdentifierRules.checkPage(after: after, limit: limit)
        return try await translated {
            let keystore = try await open(keystore, caller)
            let records = try await store.keys(keystore: keystore.record.id, after: after, limit: limit + 1)
            let items = try records.prefix(limit).map { try Self.metadata($0, in: keystore) }
            return Page(items: items, next: records.count > limit ? items.last?.id : nil)
        }
    }

    public func key(keystore: String, key: String, caller: Caller = .nobody) async throws -> KeyMetadata {
        try IdentifierRules.checkKey(key)
        return try await translated {
            let keystore = try await open(keystore, caller)
            let record = try await row(KeyAddress(keystore: keystore.record.id, key: key), in: keystore)
            // Opening proves that the public key is the private key's. It would take a call to a vault, and a key in a
            // vault is opened, and proven, before every use.
            if !record.versions.isEmpty, keystore.vault == nil {
                _ = try makingRoom { try openKey(record, in: keystore) }
            }
            return try Self.metadata(record, in: keystore)
        }
    }

    /// What an authentic row says; of a row that is not authentic only that it is not.
    static func metadata(_ record: KeyRecord, in keystore: OpenKeystore) throws -> KeyMetadata {
        let primary = record.versions.last?.version
        var metadata = KeyMetadata(
            id: record.id, type: record.type, state: .damaged, protection: keystore.protection,
            provenance: Provenance(rawValue: record.provenance) ?? .imported,
            createdAt: Date(milliseconds: record.createdAt),
            destroyAt: record.destroyAt.map { Date(milliseconds: $0) },
            versions: record.versions.map { version in
                KeyMetadata.Version(
                    version: version.version, createdAt: Date(milliseconds: version.createdAt),
                    primary: version.version == primary)
            },
            publicKey: nil)
        if try keystore.rows.accepts(record), record.protection == keystore.protection.rawValue,
            let state = KeyState(rawValue: record.state)
        {
            metadata.state = state
            metadata.publicKey = record.publicKey.map { Data($0) }
            if let publicKey = record.publicKey, let type = KeyType(rawValue: record.type) {
                metadata.jwkThumbprint = try PublicKeyEncoding.jwkThumbprint(exported: publicKey, type: type)
            }
        }
        return metadata
    }
}
