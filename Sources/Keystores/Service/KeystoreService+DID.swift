import Capabilities
import EnclaveLock
import SecretMemory
import WorkingKeys

extension KeystoreService {
    /// `RecordIdentity/type` of a sealed signing key of the daemon's own.
    private static let didKeyType = "did-key"

    public func createDID() async throws -> String {
        try await translated {
            let key = try makingRoom { try KeyMaterial.generate(.ed25519) }
            guard let did = key.rawPublicKey.flatMap({ DIDKey(publicKey: $0) })?.description else {
                throw KMSError(.internal, "An Ed25519 key has no DID.")
            }
            let sealed = try await locks.server.seal(
                SharedSecret(try key.serialized()), identity: Self.didIdentity(did))
            try await store.insertDIDKey(
                DIDKeyRecord(
                    did: did, lockKind: locks.server.kind.rawValue, lockIdentity: locks.server.identity, sealed: sealed,
                    createdAt: now),
                limit: configuration.maximumDIDKeys)
            return did
        }
    }

    /// The daemon's signing key of that name: from memory, or by the secret lock.
    ///
    /// - Throws: `.notFound` for a key that is not the daemon's.
    func didKey(_ did: String) async throws -> WorkingKey {
        // No keystore has an empty name, so this address is nobody else's.
        let address = KeyAddress(keystore: "", key: did)
        let epoch = openedKeys.epoch(address)
        if let found = openedKeys.find(address), case .sealed(let key) = found.body { return key }
        let expires = ContinuousClock.now + configuration.lockKeyTTL
        guard let record = try await store.didKey(did) else {
            throw KMSError(.notFound, "This daemon has no key '\(did)'.")
        }
        guard record.lockKind == locks.server.kind.rawValue, record.lockIdentity == locks.server.identity else {
            throw KMSError(.keystoreLocked, "The daemon's key '\(did)' is sealed by another secret lock.")
        }
        let secret = try await secret(of: record)
        let key = try makingRoom { try Self.signingKey(secret) }
        guard key.primary.rawPublicKey.flatMap({ DIDKey(publicKey: $0) })?.description == did else {
            throw KMSError.damaged("DID key '\(did)'")
        }
        openedKeys.insert(
            OpenedKey(type: .ed25519, body: .sealed(key), publicKey: key.primary.publicKey, expires: expires),
            at: address, epoch: epoch)
        return key
    }

    private func secret(of record: DIDKeyRecord) async throws -> SharedSecret {
        do {
            return try await locks.server.open(record.sealed, identity: Self.didIdentity(record.did))
        } catch {
            if error.code == .openingFailed { throw KMSError.damaged("DID key '\(record.did)'", error) }
            throw error
        }
    }

    private static func signingKey(_ secret: SharedSecret) throws -> WorkingKey {
        try WorkingKey(versions: [try secret.withSecret { try KeyMaterial(deserializing: $0) }], primary: 0)
    }

    private static func didIdentity(_ did: String) -> RecordIdentity {
        RecordIdentity(tenant: "", keystore: "", key: did, type: didKeyType, version: 1)
    }
}
