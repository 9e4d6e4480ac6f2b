import Capabilities
import EnclaveLock
import Encodings
import SecretMemory
public import WorkingKeys

extension KeystoreService {
    /// `RecordIdentity/type` of a sealed signing key of the daemon's own.
    private static let didKeyType = "did-key"

    public func createDID() async throws -> String {
        try await translated {
            let key = try makingRoom { try KeyMaterial.generate(.ed25519) }
            let did = try Self.did(of: key)
            try await insertDIDKey(key, did)
            return did
        }
    }

    /// Takes over another server's signing key under its DID.
    ///
    /// - Parameter key: Of type ED25519.
    /// - Returns: False if it is here already.
    public func adoptDIDKey(_ key: KeyMaterial) async throws -> Bool {
        try await translated {
            let did = try Self.did(of: key)
            guard try await store.didKey(did) == nil else { return false }
            try await insertDIDKey(key, did)
            return true
        }
    }

    private static func did(of key: KeyMaterial) throws -> String {
        guard key.type == .ed25519, let did = key.rawPublicKey.flatMap({ DIDKey(publicKey: $0) })?.description else {
            throw KMSError(.internal, "Only Ed25519 keys have a DID here.")
        }
        return did
    }

    private func insertDIDKey(_ key: KeyMaterial, _ did: String) async throws {
        let lock = locks.own
        let sealed = try await lock.seal(SharedSecret(try key.serialized()), identity: Self.didIdentity(did))
        let record = DIDKeyRecord(
            did: did, lockKind: lock.kind.rawValue, lockIdentity: lock.identity, sealed: sealed, createdAt: now)
        try await makingRoomForDID { try await store.insertDIDKey(record, limit: configuration.maximumDIDKeys) }
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
        guard
            let lock = locks.ofTheDaemon.first(where: {
                $0.kind.rawValue == record.lockKind && $0.identity == record.lockIdentity
            })
        else { throw KMSError(.keystoreLocked, "The daemon's key '\(did)' is sealed by another secret lock.") }
        let secret = try await secret(of: record, with: lock)
        let key = try makingRoom { try Self.signingKey(secret) }
        guard key.primary.rawPublicKey.flatMap({ DIDKey(publicKey: $0) })?.description == did else {
            throw KMSError.damaged("DID key '\(did)'")
        }
        openedKeys.insert(
            OpenedKey(type: .ed25519, body: .sealed(key), publicKey: key.primary.publicKey, expires: expires),
            at: address, epoch: epoch)
        return key
    }

    /// Seals the daemon's signing keys anew, so that the home's lock slots open them. One that is damaged, or whose lock is not
    /// configured, is passed over.
    func reachDIDKeys(with recovery: any SecretLock) async throws {
        guard let keys = store as? any DIDKeyExpiring else { return }
        var after = ""
        // Each page starts behind the last name of the one before, so the loop ends.
        while true {
            let page = try await keys.didKeys(madeBefore: .max, after: after, limit: 32)
            guard let last = page.last else { return }
            for did in page {
                guard var record = try await store.didKey(did), record.lockKind != recovery.kind.rawValue,
                    let lock = locks.ofTheDaemon.first(where: {
                        $0.kind.rawValue == record.lockKind && $0.identity == record.lockIdentity
                    })
                else { continue }
                let before = record.sealed
                do {
                    let secret = try await secret(of: record, with: lock)
                    record.sealed = try await recovery.seal(secret, identity: Self.didIdentity(did))
                } catch is KMSError {
                    continue
                }
                record.lockKind = recovery.kind.rawValue
                record.lockIdentity = recovery.identity
                // One that was sealed anew meanwhile is reached the next time.
                _ = try await keys.reseal(record, expecting: before)
            }
            after = last
        }
    }

    private func secret(of record: DIDKeyRecord, with lock: any SecretLock) async throws -> SharedSecret {
        do {
            return try await lock.open(record.sealed, identity: Self.didIdentity(record.did))
        } catch {
            if error.code == .openingFailed { throw KMSError.damaged("DID key '\(record.did)'", error) }
            throw error
        }
    }

    private static func signingKey(_ secret: SharedSecret) throws -> WorkingKey {
        try WorkingKey(versions: [try secret.withSecret { try KeyMaterial(deserializing: $0) }], primary: 0)
    }

    static func didIdentity(_ did: String) -> RecordIdentity {
        RecordIdentity(tenant: "", keystore: "", key: did, type: didKeyType, version: 1)
    }
}
