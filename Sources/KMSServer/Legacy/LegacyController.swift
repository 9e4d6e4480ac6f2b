import EDV
import HTTPTypes
import Hummingbird
import Keystores
import Synchronization
import TextEncodings
import WorkingKeys

/// The routes of the API's first generation over the same keystores: other names of members, padded base64url, 201 for
/// what is made.
///
/// Source: keystore API section 14.
struct LegacyController: Sendable {
    let service: any KeystoreServing
    /// Issues root capabilities; nil: keystores are not guarded.
    let issuer: CapabilityAuthorizer?
    let baseURL: String
    let maximumBody: Int
    /// URL of the server whose vaults `vaultID` names; nil if none is configured.
    var vaultServer: String?

    /// PKCS#8 of every supported type fits many times.
    private static let maximumImportBody = 64 * 1024

    /// - Parameter owner: Whom a keystore that is made belongs to.
    func answer(_ target: LegacyTarget, _ request: Request, owner: String?) async throws -> Response {
        switch target {
        case .same(.keystores): return try await createKeystore(request, owner: owner)
        case .same(.keys(let keystore)): return try await createKey(request, keystore)
        case .importKey(let keystore): return try await importKey(request, keystore)
        case .same(.action(let action, let keystore, let key)):
            return try await use(action, request, keystore, key)
        case .same(.agreement(let action, let keystore, let key)):
            return try await LegacyAgreement(service: service, maximumBody: maximumBody)
                .answer(action, request, keystore: keystore, key: key)
        case .vaultCapability(let keystore): return try await setCapability(request, keystore)
        case .same: return Answer.notFound()
        }
    }

    private func use(
        _ action: Target.Action, _ request: Request, _ keystore: String, _ key: String
    ) async throws -> Response {
        let wording = Wording.firstGeneration
        if action == .export {
            let publicKey = try await service.exportKey(keystore: keystore, key: key).publicKey
            return wording.object { $0.member("publicKey", bytes: publicKey) }
        }
        let one = OperationController(service: service, maximumBody: maximumBody, wording: wording)
        if let answer = try await one.answer(action, request, keystore: keystore, key: key) { return answer }
        let many = MultiMessageController(service: service, maximumBody: maximumBody, wording: wording)
        return try await many.answer(action, request, keystore: keystore, key: key) ?? Answer.notFound()
    }

    private func createKeystore(_ request: Request, owner: String?) async throws -> Response {
        let (controller, vault) = try await request.members(["controller", "vaultid"], upTo: maximumBody) {
            members throws(JSONError) in (try members.optionalText(0) ?? "", try members.optionalText(1) ?? "")
        }
        guard !controller.isEmpty else { throw JSONError("validation failed: controller must be non-empty") }
        let location = vault.isEmpty ? nil : try await awaiting(vault)
        let issuer = issuer
        let issued = Mutex<[UInt8]?>(nil)
        let keystore = try await service.createKeystore(
            controller: controller, protection: .sealed, lock: nil, vault: location
        ) { id in
            let document = try issuer?.makeRoot(keystore: id, controller: controller, hasVault: location != nil)
            issued.withLock { $0 = document }
            return try document ?? owner.map(GNAPOwner.document)
        }
        var response = created(at: "\(baseURL)/kms/keystores/\(keystore.id)", Response(status: .created))
        if let document = issued.withLock({ $0 }) {
            let packed = Base64.encode(try CapabilityAuthorizer.packed(document), .urlPadded)
            response.headers[.rootCapability] = packed
        }
        if let did = location?.awaitingInvoker { response.headers[.vaultKey] = did }
        return response
    }

    /// A vault of the configured server, with a new key of ours that its capability is to be delegated to.
    private func awaiting(_ vault: String) async throws -> VaultLocation {
        guard let vaultServer else {
            throw JSONError("validation failed: this server knows no server of vaults; set key-manager-storage-url")
        }
        let url = "\(vaultServer)/\(vault)"
        // Before a key is made for it.
        guard let address = try? VaultAddress(url), address.vault == vault else {
            throw JSONError("validation failed: 'vaultID' is no id of 1 to 128 letters, digits and - . _ ~")
        }
        return VaultLocation(url: url, awaitingCapabilityFor: try await service.createDID())
    }

    private func setCapability(_ request: Request, _ keystore: String) async throws -> Response {
        let capability = try await request.members(["edvcapability"], upTo: maximumBody) {
            members throws(JSONError) in try members.optionalObjectText(0)
        }
        guard let capability else { throw JSONError("validation failed: edvCapability must be an object") }
        try await service.setVaultCapability(keystore: keystore, capability: capability)
        return Answer.json()
    }

    private func createKey(_ request: Request, _ keystore: String) async throws -> Response {
        let (type, exports) = try await request.members(["keytype", "export"], upTo: maximumBody) {
            members throws(JSONError) in (try members.optionalText(0) ?? "", try members.flag(1))
        }
        let key = try await service.createKey(keystore: keystore, type: type)
        let location = keyURL(keystore, key.id)
        return created(
            at: location,
            LegacyAnswer.object(status: .created) { writer in
                writer.member("location", location)
                if exports, let publicKey = key.publicKey { writer.member("publicKey", bytes: publicKey) }
            })
    }

    private func importKey(_ request: Request, _ keystore: String) async throws -> Response {
        let limit = min(maximumBody, Self.maximumImportBody)
        let (pkcs8, type, keyID) = try await request.withSecretBody(upTo: limit) { memory in
            let members = try JSONMembers(UnsafeRawBufferPointer(memory), ["keybytes", "keytype", "keyid"])
            // Text members first: reading the secret may unescape it in place.
            let type = try members.text(1)
            let keyID = try members.optionalText(2)
            return (try members.secret(0, unescapingIn: memory), type, keyID)
        }
        let id = try await service.importKey(keystore: keystore, type: type, pkcs8: pkcs8, keyID: keyID)
        let location = keyURL(keystore, id)
        return created(at: location, LegacyAnswer.object(status: .created) { $0.member("location", location) })
    }

    private func keyURL(_ keystore: String, _ key: String) -> String {
        "\(baseURL)/kms/keystores/\(keystore)/keys/\(key)"
    }

    private func created(at location: String, _ response: Response) -> Response {
        var response = response
        response.headers[.location] = location
        return response
    }
}

extension HTTPField.Name {
    /// Nil never: the characters are those of a token (RFC 9110 section 5.6.2).
    fileprivate static let rootCapability = HTTPField.Name("X-RootCapability") ?? .location
    fileprivate static let vaultKey = HTTPField.Name("Edvdidkey") ?? .location
}
