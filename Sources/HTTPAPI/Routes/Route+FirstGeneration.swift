import HTTPTypes
import Hummingbird

/// The rows of the API's first generation, under `/kms`; they are there where the settings say so.
///
/// Source: keystore API section 14.
extension Route {
    private typealias First = @Sendable (_ call: inout RouteCall, _ api: LegacyController) async throws -> Response

    private static func first(
        _ method: HTTPRequest.Method, _ path: StaticString, _ operation: StaticString, _ needs: Guard,
        _ record: Record, body: BodyLimit = .full, _ handle: @escaping First
    ) -> Route {
        Route(method, path, operation, needs, record, dialect: .firstGeneration, body: body) { call, api in
            guard let legacy = api.legacy else { return Responses.notFound() }
            return try await handle(&call, legacy)
        }
    }

    static let firstGeneration: [Route] = [
        .first(.post, "/kms/keystores", "create keystore", .createKeystore, .change("create-keystore")) {
            try await $1.createKeystore(&$0)
        },
        .first(
            .post, "/kms/keystores/{keystore}/capability", "save capability",
            .keystore(action: "updateEDVCapability"), .change("set-capability")
        ) { try await $1.setCapability($0) },
        .first(
            .post, "/kms/keystores/{keystore}/keys", "create key",
            .keystore(action: "createKey"), .change("create-key")
        ) { try await $1.createKey(&$0) },
        .first(
            .get, "/kms/keystores/{keystore}/keys/{key}/export", "export key",
            .keystore(action: "exportKey"), .change("export")
        ) { try await $1.export($0) },
        .first(
            .post, "/kms/keystores/{keystore}/import", "import key",
            .keystore(action: "importKey"), .change("import-key"), body: .small
        ) { try await $1.importKey(&$0) },
        .first(.post, "/kms/keystores/{keystore}/keys/{key}/sign", "sign", .keystore(action: "sign"), .use("sign")) {
            try await $1.operations.sign($0)
        },
        .first(
            .post, "/kms/keystores/{keystore}/keys/{key}/verify", "verify",
            .keystore(action: "verify"), .use("verify")
        ) { try await $1.operations.verify($0) },
        .first(
            .post, "/kms/keystores/{keystore}/keys/{key}/computemac", "compute MAC",
            .keystore(action: "computeMAC"), .use("computemac")
        ) { try await $1.operations.computeMAC($0) },
        .first(
            .post, "/kms/keystores/{keystore}/keys/{key}/verifymac", "verify MAC",
            .keystore(action: "verifyMAC"), .use("verifymac")
        ) { try await $1.operations.verifyMAC($0) },
        .first(
            .post, "/kms/keystores/{keystore}/keys/{key}/encrypt", "encrypt",
            .keystore(action: "encrypt"), .use("encrypt")
        ) { try await $1.operations.encrypt($0) },
        .first(
            .post, "/kms/keystores/{keystore}/keys/{key}/decrypt", "decrypt",
            .keystore(action: "decrypt"), .use("decrypt")
        ) { try await $1.operations.decrypt($0) },
        .first(.post, "/kms/keystores/{keystore}/keys/{key}/easy", "easy", .keystore(action: "easy"), .use("easy")) {
            try await $1.agreement.easy($0)
        },
        .first(
            .post, "/kms/keystores/{keystore}/easyopen", "easy open", .keystore(action: "easyOpen"), .use("easyopen")
        ) { try await $1.agreement.easyOpen($0) },
        .first(
            .post, "/kms/keystores/{keystore}/sealopen", "seal open", .keystore(action: "sealOpen"), .use("sealopen")
        ) { try await $1.agreement.sealOpen($0) },
        .first(
            .post, "/kms/keystores/{keystore}/keys/{key}/signmulti", "sign multi",
            .keystore(action: "signMulti"), .use("signmulti")
        ) { try await $1.multiMessage.sign($0) },
        .first(
            .post, "/kms/keystores/{keystore}/keys/{key}/verifymulti", "verify multi",
            .keystore(action: "verifyMulti"), .use("verifymulti")
        ) { try await $1.multiMessage.verify($0) },
        .first(
            .post, "/kms/keystores/{keystore}/keys/{key}/deriveproof", "derive proof",
            .keystore(action: "deriveProof"), .use("deriveproof")
        ) { try await $1.multiMessage.deriveProof($0) },
        .first(
            .post, "/kms/keystores/{keystore}/keys/{key}/verifyproof", "verify proof",
            .keystore(action: "verifyProof"), .use("verifyproof")
        ) { try await $1.multiMessage.verifyProof($0) },
        .first(.post, "/kms/keystores/{keystore}/wrap", "wrap key", .keystore(action: "wrap"), .use("wrap")) {
            try await $1.agreement.wrap($0)
        },
        .first(
            .post, "/kms/keystores/{keystore}/keys/{key}/unwrap", "unwrap key",
            .keystore(action: "unwrap"), .use("unwrap")
        ) { try await $1.agreement.unwrap($0) },
    ]
}
