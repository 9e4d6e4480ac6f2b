import Encodings
import Foundation
public import SecretMemory
import Token
import WorkingKeys

extension KeystoreService {
    /// Types of the API that need a library which is not here.
    private static let absentTypes = ["CLCredDef", "CLMasterSecret"]

    public func createKey(keystore: String, type: String, caller: Caller = .nobody) async throws -> CreatedKey {
        try await translated {
            guard !Self.absentTypes.containsExactly(type) else {
                throw KMSError(.mechanismUnsupported, "This daemon makes no keys for CL signatures.")
            }
            let type = try Self.keyType(type)
            let keystore = try await open(keystore, caller)
            let fresh = try await generate(type, in: keystore)
            let record = try makeRecord(
                fresh, id: fresh.identifier, type: type,
                provenance: keystore.protection == .resident ? .bornInToken : .bornInDaemon, in: keystore)
            try await insert(record, in: keystore)
            return CreatedKey(id: record.id, publicKey: record.publicKey)
        }
    }

    public func importKey(
        keystore: String, type: String, pkcs8: SharedSecret, keyID: String?, caller: Caller = .nobody
    ) async throws -> String {
        if let keyID, !keyID.isEmpty { try IdentifierRules.checkKey(keyID) }
        return try await translated {
            let type = try Self.keyType(type)
            let fresh = try makingRoom {
                try FreshVersion(try pkcs8.withSecret { try KeyMaterial.importing(pkcs8: $0, as: type) })
            }
            let keystore = try await open(keystore, caller)
            guard keystore.protection == .sealed else {
                throw KMSError(
                    .mechanismUnsupported,
                    "A resident keystore holds only keys made inside the token; import into a sealed keystore.")
            }
            let named = keyID.flatMap { $0.isEmpty ? nil : $0 }
            let record = try makeRecord(
                fresh, id: try named ?? KeyIdentifier.random(), type: type,
                provenance: .imported, in: keystore)
            try await insert(record, in: keystore)
            return record.id
        }
    }

    public func exportKey(keystore: String, key: String, caller: Caller = .nobody) async throws -> (
        publicKey: [UInt8], type: String
    ) {
        try await use(keystore, key, caller) { opened in
            guard let publicKey = opened.publicKey else {
                throw KMSError(.invalidArgument, "A key of type \(opened.type.rawValue) has no public half.")
            }
            return (publicKey, opened.type.rawValue)
        }
    }

    public func rotateKey(keystore: String, key: String, type: String, caller: Caller = .nobody) async throws -> String
    {
        try IdentifierRules.checkKey(key)
        return try await translated {
            let type = try Self.keyType(type)
            let keystore = try await open(keystore, caller)
            let address = KeyAddress(keystore: keystore.record.id, key: key)
            let old = try await row(address, in: keystore)
            guard old.state == KeyState.enabled.rawValue else {
                throw KMSError(.keyDisabled, "The key '\(key)' is \(old.state).")
            }
            guard old.type == type.rawValue else {
                throw KMSError(.invalidArgument, "The key '\(key)' is of type \(old.type); it rotates to that only.")
            }
            let limit = min(configuration.maximumVersionsPerKey, type.maximumVersions ?? .max)
            guard old.versions.count < limit, let newest = old.versions.last else {
                throw KMSError(.quotaExceeded, "The key has \(limit) versions, which is the limit.")
            }
            let complete = try await complete(old, in: keystore)
            let fresh = try await generate(type, in: keystore)
            var record = old
            record.id = fresh.identifier
            record.publicKey = fresh.publicKey
            record.versions = try complete.versions.map { version in
                var moved = version
                do {
                    moved.sealed = try keystore.seal(
                        try keystore.open(version, of: old), key: record.id, type: old.type, version: version.version)
                } catch {
                    if keystore.vault != nil { throw VaultedKey.damaged(key, error) }
                    throw KMSError.damaged("key '\(key)'", error)
                }
                return moved
            }
            let number = newest.version + 1
            record.versions.append(
                KeyRecord.Version(
                    version: number, createdAt: now,
                    sealed: try keystore.seal(fresh.secret, key: record.id, type: old.type, version: number)))
            record.authenticator = try keystore.rows.authenticator(of: record)
            defer { openedKeys.revoke(address) }
            guard try await replace(key, with: record, expecting: old.authenticator, in: keystore) else {
                throw KMSError(
                    .conflict,
                    "The key '\(key)' was changed by another request at the same time; look at it and try again.")
            }
            return record.id
        }
    }

    // MARK: Making versions

    private func generate(_ type: KeyType, in keystore: OpenKeystore) async throws -> FreshVersion {
        switch keystore.protection {
        case .sealed: return try makingRoom { try FreshVersion(try KeyMaterial.generate(type)) }
        case .resident:
            let token = try requireResident()
            guard let algorithm = type.residentAlgorithm else {
                throw KMSError(
                    .mechanismUnsupported,
                    "Tokens do not hold keys of type \(type.rawValue); use a sealed keystore for them.")
            }
            do {
                let made = try await keystore.tenant.run { () async throws(HSMError) in
                    try await token.generateResident(algorithm)
                }
                return try FreshVersion(resident: made, type: type)
            } catch let error as HSMError where error.code == .mechanismUnsupported {
                throw KMSError(
                    .mechanismUnsupported,
                    "This token does not hold keys of type \(type.rawValue); use a sealed keystore for them.",
                    underlying: error)
            }
        }
    }

    private func makeRecord(
        _ fresh: FreshVersion, id: String, type: KeyType, provenance: Provenance, in keystore: OpenKeystore
    ) throws -> KeyRecord {
        let createdAt = now
        var record = KeyRecord(
            keystore: keystore.record.id, id: id, type: type.rawValue, state: KeyState.enabled.rawValue,
            protection: keystore.protection.rawValue, provenance: provenance.rawValue, createdAt: createdAt,
            destroyAt: nil, publicKey: fresh.publicKey,
            versions: [
                KeyRecord.Version(
                    version: 1, createdAt: createdAt,
                    sealed: try keystore.seal(fresh.secret, key: id, type: type.rawValue, version: 1))
            ],
            authenticator: [])
        record.authenticator = try keystore.rows.authenticator(of: record)
        return record
    }

    private static func keyType(_ name: String) throws -> KeyType {
        guard !name.isEmpty else { throw KMSError(.invalidArgument, "The key type is missing.") }
        guard let type = KeyType(exactly: name) else {
            let known = KeyType.allCases.map(\.rawValue).joined(separator: ", ")
            throw KMSError(.invalidArgument, "There is no such key type; known are \(known).")
        }
        return type
    }
}
