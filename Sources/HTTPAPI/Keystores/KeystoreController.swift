import Encodings
import Hummingbird
import Keystores
import Synchronization

/// The routes of keystores.
struct KeystoreController: Sendable {
    let service: any KeystoreManaging
    /// Issues root capabilities; nil: keystores are not guarded.
    let authorizer: CapabilityAuthorizer?
    let baseURL: String

    func create(_ call: inout RouteCall) async throws -> Response {
        let (controller, protection, vault, lock) = try await call.body(CreateKeystoreBody.self) {
            body throws(JSONError) in
            let vault = try Self.vault(body)
            guard let controller = try body.optionalText(.controller), !controller.isEmpty else {
                throw JSONError.invalid("controller must be non-empty")
            }
            let lock = try body.optionalText(.lock)
            guard let text = try body.optionalText(.protection) else {
                return (controller, Protection.sealed, vault, lock)
            }
            guard let protection = Protection(rawValue: text) else {
                throw JSONError("'protection' is neither 'sealed' nor 'resident'")
            }
            return (controller, protection, vault, lock)
        }
        let authorizer = authorizer
        let owner = call.owner
        let issued = Mutex<[UInt8]?>(nil)
        let keystore = try await service.createKeystore(
            controller: controller, protection: protection, lock: lock, vault: vault, caller: call.caller
        ) { id in
            let document = try authorizer?.makeRoot(keystore: id, controller: controller)
            issued.withLock { $0 = document }
            return try document ?? owner.map(GNAPOwner.document)
        }
        call.made = keystore.id
        let capability = try issued.withLock { $0 }.map(CapabilityAuthorizer.packed)
        return Responses.object(capacity: 256 + (capability?.count ?? 0) * 2) { writer in
            writer.member("key_store_url", "\(baseURL)/v1/keystores/\(keystore.id)")
            if let capability { writer.member("capability", bytes: capability) }
        }
    }

    /// Where the keys' sealed bytes are to be kept; the capability is base64 of plain JSON.
    private static func vault(_ body: JSONBody<CreateKeystoreBody>) throws(JSONError) -> VaultLocation? {
        guard let edv = try body.object(.vault, VaultBody.self) else { return nil }
        return VaultLocation(url: try edv.text(.url), capability: try edv.bytes(.capability))
    }

    /// The name that TrustBloc gives this route promises a DID; the value is the DID URL with fragment.
    func createDID(_ call: inout RouteCall) async throws -> Response {
        let did = try await service.createDID()
        call.made = did
        return Responses.object { $0.member("did", did) }
    }

    func describe(_ call: RouteCall) async throws -> Response {
        let keystore = try await service.keystore(call.keystore, caller: call.caller)
        return Responses.object(capacity: 512) { $0.write(keystore) }
    }

    func list(_ call: RouteCall) async throws -> Response {
        let query = try QueryParameters(call.query, allowed: ["controller", "limit", "after"])
        let page = try await service.keystores(
            controller: query["controller"], after: query["after"],
            limit: try query.number("limit", in: 1...1000) ?? 100)
        return Responses.object(capacity: 512 + 300 * page.items.count) { writer in
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
