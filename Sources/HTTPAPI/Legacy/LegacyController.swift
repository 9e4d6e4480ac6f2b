import EDV
import Encodings
import HTTPTypes
import Hummingbird
import Keystores
import Synchronization
import WorkingKeys

/// The routes of the API's first generation over the same keystores: other names of members, padded base64url, 201 for
/// what is made. Those that use a key are the present API's controllers with another ``MemberNames``.
///
/// Source: keystore API section 14.
struct LegacyController: Sendable {
    let keystores: any KeystoreManaging
    let keys: any KeyManaging
    let operations: OperationController
    let multiMessage: MultiMessageController
    let agreement: LegacyAgreement
    /// Issues root capabilities; nil: keystores are not guarded.
    let issuer: CapabilityAuthorizer?
    let baseURL: String
    /// URL of the server whose vaults `vaultID` names; nil if none is configured.
    var vaultServer: String?

    init(service: any KeystoreServing, issuer: CapabilityAuthorizer?, baseURL: String) {
        keystores = service
        keys = service
        operations = OperationController(service: service, memberNames: .firstGeneration)
        multiMessage = MultiMessageController(service: service, memberNames: .firstGeneration)
        agreement = LegacyAgreement(service: service)
        self.issuer = issuer
        self.baseURL = baseURL
    }

    func createKeystore(_ call: inout RouteCall) async throws -> Response {
        let (controller, vault) = try await call.body(LegacyKeystoreBody.self) { body throws(JSONError) in
            (try body.optionalText(.controller) ?? "", try body.optionalText(.vault) ?? "")
        }
        guard !controller.isEmpty else { throw JSONError.invalid("controller must be non-empty") }
        let location = vault.isEmpty ? nil : try await awaiting(vault)
        let issuer = issuer
        let owner = call.owner
        let issued = Mutex<[UInt8]?>(nil)
        let keystore = try await keystores.createKeystore(
            controller: controller, protection: .sealed, lock: nil, vault: location, caller: call.caller
        ) { id in
            let document = try issuer?.makeRoot(keystore: id, controller: controller, hasVault: location != nil)
            issued.withLock { $0 = document }
            return try document ?? owner.map(GNAPOwner.document)
        }
        call.made = keystore.id
        var response = created(at: "\(baseURL)/kms/keystores/\(keystore.id)", Response(status: .created))
        if let document = issued.withLock({ $0 }) {
            response.headers[.rootCapability] = Base64.encode(try CapabilityAuthorizer.packed(document), .urlPadded)
        }
        if let did = location?.awaitingInvoker { response.headers[.vaultKey] = did }
        return response
    }

    /// A vault of the configured server, with a new key of ours that its capability is to be delegated to.
    private func awaiting(_ vault: String) async throws -> VaultLocation {
        guard let vaultServer else {
            throw JSONError.invalid("this server knows no server of vaults; set key-manager-storage-url")
        }
        let url = "\(vaultServer)/\(vault)"
        // Before a key is made for it.
        guard let address = try? VaultAddress(url), address.vault.isExactly(vault) else {
            throw JSONError.invalid("'vaultID' is no id of 1 to 128 letters, digits and - . _ ~")
        }
        return VaultLocation(url: url, awaitingCapabilityFor: try await keystores.createDID())
    }

    func setCapability(_ call: RouteCall) async throws -> Response {
        let capability = try await call.body(LegacyCapabilityBody.self) { body throws(JSONError) in
            try body.optionalObjectText(.capability)
        }
        guard let capability else { throw JSONError.invalid("edvCapability must be an object") }
        try await keystores.setVaultCapability(keystore: call.keystore, capability: capability, caller: call.caller)
        return Responses.json()
    }

    func createKey(_ call: inout RouteCall) async throws -> Response {
        let (type, exports) = try await call.body(LegacyKeyBody.self) { body throws(JSONError) in
            (try body.optionalText(.type) ?? "", try body.flag(.exports))
        }
        let key = try await keys.createKey(keystore: call.keystore, type: type, caller: call.caller)
        call.made = call.keystore + "/" + key.id
        let location = keyURL(call.keystore, key.id)
        return created(
            at: location,
            LegacyResponses.object(status: .created) { writer in
                writer.member("location", location)
                if exports, let publicKey = key.publicKey { writer.member("publicKey", bytes: publicKey) }
            })
    }

    func importKey(_ call: inout RouteCall) async throws -> Response {
        let (pkcs8, type, keyID) = try await call.secretBody(ImportKeyBody.self, names: ImportKeyBody.firstNames) {
            body, memory in
            // Text members first: reading the secret may unescape it in place.
            let type = try body.text(.type)
            let keyID = try body.optionalText(.id)
            return (try body.secret(.key, in: memory), type, keyID)
        }
        let id = try await keys.importKey(
            keystore: call.keystore, type: type, pkcs8: pkcs8, keyID: keyID, caller: call.caller)
        call.made = call.keystore + "/" + id
        let location = keyURL(call.keystore, id)
        return created(at: location, LegacyResponses.object(status: .created) { $0.member("location", location) })
    }

    func export(_ call: RouteCall) async throws -> Response {
        let publicKey = try await keys.exportKey(keystore: call.keystore, key: call.key, caller: call.caller)
            .publicKey
        return MemberNames.firstGeneration.object { $0.member("publicKey", bytes: publicKey) }
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
    fileprivate static let rootCapability = HTTPField.Name(known: "X-RootCapability")
    fileprivate static let vaultKey = HTTPField.Name(known: "Edvdidkey")
}
