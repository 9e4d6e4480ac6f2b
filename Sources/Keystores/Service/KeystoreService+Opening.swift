import SecretMemory
import Token
import WorkingKeys

extension KeystoreService {
    /// Opens every version of a key.
    func openKey(_ record: KeyRecord, in keystore: OpenKeystore) throws -> OpenedKey {
        do {
            guard let type = KeyType(rawValue: record.type), !record.versions.isEmpty else {
                throw KMSError(.internal, "A key has no version or an unknown type.")
            }
            // The highest version is the primary.
            let secrets = try record.versions.reversed().map { try keystore.open($0, of: record) }
            let body: OpenedKey.Body
            let publicKey: [UInt8]?
            switch keystore.protection {
            case .sealed:
                let materials = try secrets.map { try $0.withSecret { try KeyMaterial(deserializing: $0) } }
                guard materials.allSatisfy({ $0.type == type }) else {
                    throw KMSError(.internal, "A key version is not of its key's type.")
                }
                body = .sealed(try WorkingKey(versions: materials, primary: 0))
                publicKey = materials[0].publicKey
            case .resident:
                let key = try ResidentKey(
                    type: type, versions: try secrets.map { try ResidentVersion(deserializing: $0) },
                    token: try requireResident())
                body = .resident(key)
                publicKey = try key.publicKey
            }
            guard publicKey == record.publicKey else {
                throw KMSError(.internal, "The stored public key is not the private key's.")
            }
            return OpenedKey(
                type: type, body: body, publicKey: publicKey, expires: keystore.expires, tenant: keystore.tenant,
                caller: keystore.caller)
        } catch  where Self.isOutOfLockedMemory(error) {
            throw error
        } catch let error as KMSError where error.code != .internal {
            throw error
        } catch {
            if keystore.vault != nil { throw VaultedKey.damaged(record.id, error) }
            throw KMSError.damaged("key '\(record.id)'", error)
        }
    }

    func requireResident() throws -> any ResidentKeyOperations {
        guard let resident else {
            throw KMSError(
                .mechanismUnsupported,
                "This daemon has no token that holds keys; use a keystore with 'sealed' protection.")
        }
        return resident
    }
}
