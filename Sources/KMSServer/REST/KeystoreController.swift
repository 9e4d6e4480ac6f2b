import Hummingbird
import Keystores
import Synchronization

/// The routes of keystores.
struct KeystoreController: Sendable {
    let service: any KeystoreServing
    /// Issues root capabilities; nil: keystores are not guarded.
    let authorizer: CapabilityAuthorizer?
    let baseURL: String
    let maximumBody: Int

    /// - Parameter owner: Whom the keystore belongs to under GNAP.
    func create(_ request: Request, owner: String?) async throws -> Response {
        let (controller, protection, vault, lock) = try await request.members(
            ["controller", "edv", "protection", "lock"], upTo: maximumBody
        ) { members throws(JSONError) in
            let vault = try Self.vault(members)
            guard let controller = try members.optionalText(0), !controller.isEmpty else {
                throw JSONError("validation failed: controller must be non-empty")
            }
            let lock = try members.optionalText(3)
            guard let text = try members.optionalText(2) else { return (controller, Protection.sealed, vault, lock) }
            guard let protection = Protection(rawValue: text) else {
                throw JSONError("'protection' is neither 'sealed' nor 'resident'")
            }
            return (controller, protection, vault, lock)
        }
        let authorizer = authorizer
        let issued = Mutex<[UInt8]?>(nil)
        let keystore = try await service.createKeystore(
            controller: controller, protection: protection, lock: lock, vault: vault
        ) { id in
            let document = try authorizer?.makeRoot(keystore: id, controller: controller)
            issued.withLock { $0 = document }
            return try document ?? owner.map(GNAPOwner.document)
        }
        let capability = try issued.withLock { $0 }.map(CapabilityAuthorizer.packed)
        return Answer.object(capacity: 256 + (capability?.count ?? 0) * 2) { writer in
            writer.member("key_store_url", "\(baseURL)/v1/keystores/\(keystore.id)")
            if let capability { writer.member("capability", bytes: capability) }
        }
    }

    /// Where the keys' sealed bytes are to be kept; the capability is base64 of plain JSON.
    private static func vault(_ members: JSONMembers) throws(JSONError) -> VaultLocation? {
        guard let edv = try members.optionalObject(1, ["vault_url", "capability"]) else { return nil }
        return VaultLocation(url: try edv.text(0), capability: try edv.bytes(1))
    }

    /// The name that TrustBloc gives this route promises a DID; the value is the DID URL with fragment.
    func createDID() async throws -> Response {
        let did = try await service.createDID()
        return Answer.object { $0.member("did", did) }
    }

    func describe(_ id: String) async throws -> Response {
        let keystore = try await service.keystore(id)
        return Answer.object(capacity: 512) { $0.write(keystore) }
    }

    func list(query: Substring?) async throws -> Response {
        let query = try QueryParameters(query, allowed: ["controller", "limit", "after"])
        let page = try await service.keystores(
            controller: query["controller"], after: query["after"],
            limit: try query.number("limit", in: 1...1000) ?? 100)
        return Answer.object(capacity: 512 + 300 * page.items.count) { writer in
            writer.member("keystores", array: page.items) { $0.write($1) }
            if let next = page.next { writer.member("next", next) }
        }
    }
}

extension JSONWriter {
    mutating func write(_ keystore: KeystoreMetadata) {
        member("id", keystore.id)
        member("controller", keystore.controller)
        member("protection", keystore.protection.rawValue)
        member("lock_slots", array: keystore.lockSlots) { writer, slot in
            writer.member("id", slot.id)
            writer.member("kind", slot.kind)
            writer.member("identity", slot.identity)
        }
        if let url = keystore.vaultURL { member("vault_url", url) }
        member("created_at", Timestamp(keystore.createdAt).rfc3339(digits: 3))
    }
}
