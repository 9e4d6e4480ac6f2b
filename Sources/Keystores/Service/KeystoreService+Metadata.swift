import Foundation

extension KeystoreService {
    public func keys(keystore: String, after: String?, limit: Int) async throws -> Page<KeyMetadata> {
        try Names.checkPage(after: after, limit: limit)
        return try await translated {
            let keystore = try await open(keystore)
            let records = try await store.keys(keystore: keystore.record.id, after: after, limit: limit + 1)
            let items = try records.prefix(limit).map { try Self.metadata($0, in: keystore) }
            return Page(items: items, next: records.count > limit ? items.last?.id : nil)
        }
    }

    public func key(keystore: String, key: String) async throws -> KeyMetadata {
        try Names.checkKey(key)
        return try await translated {
            let keystore = try await open(keystore)
            let record = try await row(KeyAddress(keystore: keystore.record.id, key: key), in: keystore)
            // Opening proves that the public key is the private key's. It would take a call to a vault, and a key in a
            // vault is opened, and proven, before every use.
            if !record.versions.isEmpty, keystore.vault == nil {
                _ = try makingRoom { try openKey(record, in: keystore) }
            }
            return try Self.metadata(record, in: keystore)
        }
    }

    /// What an authentic row tells; a row that is not authentic tells only that.
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
        }
        return metadata
    }
}
