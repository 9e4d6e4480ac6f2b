import Encodings
import Foundation

/// What is kept of a key in its keystore's vault: the row as it was when the key was stored, and the sealed versions.
///
/// It is written once and never changed: rotation gives a key another id and with it another document. The daemon's own
/// row says what the key is and whether it may be used; only the sealed bytes are taken from here, and each opens for
/// its keystore, key, type and version only.
struct VaultedKey: Codable, Sendable {
    static let currentVersion = 1

    struct Version: Codable, Sendable {
        var version: UInt64
        var createdAt: Int64
        /// An envelope; base64 here.
        var sealed: Data
    }

    var version: Int
    var keystore: String
    var id: String
    var type: String
    var protection: String
    var provenance: String
    var createdAt: Int64
    var publicKey: Data?
    var versions: [Version]

    init(_ record: KeyRecord) {
        version = Self.currentVersion
        keystore = record.keystore
        id = record.id
        type = record.type
        protection = record.protection
        provenance = record.provenance
        createdAt = record.createdAt
        publicKey = record.publicKey.map { Data($0) }
        versions = record.versions.map {
            Version(version: $0.version, createdAt: $0.createdAt, sealed: Data($0.sealed))
        }
    }

    /// JSON with sorted members and no white space.
    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self))
    }

    /// The row with the sealed bytes that `bytes` hold for its versions.
    ///
    /// - Parameter record: Authentic.
    /// - Throws: `.upstreamFailed` unless `bytes` are what was stored for exactly this row.
    static func completing(_ record: KeyRecord, with bytes: [UInt8]) throws -> KeyRecord {
        guard let stored = try? JSONDecoder().decode(VaultedKey.self, from: Data(bytes)),
            stored.version == currentVersion, stored.keystore.isExactly(record.keystore),
            stored.id.isExactly(record.id),
            stored.type == record.type, stored.protection == record.protection,
            stored.versions.count == record.versions.count
        else { throw damaged(record.id) }
        var completed = record
        for (index, version) in stored.versions.enumerated() {
            guard version.version == record.versions[index].version,
                version.createdAt == record.versions[index].createdAt
            else { throw damaged(record.id) }
            completed.versions[index].sealed = [UInt8](version.sealed)
        }
        return completed
    }

    static func damaged(_ key: String, _ underlying: (any Error)? = nil) -> KMSError {
        KMSError(
            .upstreamFailed, "The vault's document of key '\(key)' is damaged or another one's and was not used.",
            underlying: underlying)
    }
}

extension KeyRecord {
    /// The row as the daemon keeps it when the sealed bytes are in a vault.
    var withoutSealedBytes: KeyRecord {
        var record = self
        for index in record.versions.indices { record.versions[index].sealed = [] }
        return record
    }
}
