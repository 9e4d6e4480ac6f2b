import HTTPTypes
import Hummingbird

/// The rows of the keystore API and of the routes for supervisors, in the order in which a root capability lists their actions;
/// a literal segment stands before braces in its place.
///
/// Source: keystore API sections 1 to 8.
extension Route {
    /// They decide nothing and reveal no key, keystore or token name.
    static let health: [Route] = [
        Route(.get, "/healthcheck", "request", .none) {
            _, api in api.health.healthcheck(isLegacy: api.legacy != nil)
        },
        Route(.get, "/livez", "request", .none) { _, api in api.health.livez() },
        Route(.get, "/readyz", "request", .none) { _, api in await api.health.readyz() },
        Route(.get, "/openapi.yaml", "request", .none) { _, api in api.health.openapi() },
    ]

    static let keystores: [Route] = [
        Route(
            .post, "/v1/keystores", "create key store", .createKeystore, .change("create-keystore"),
            isUpstream: true
        ) { try await $1.keystores.create(&$0) },
        Route(.get, "/v1/keystores", "list key stores", .manage, .look("list-keystores")) {
            try await $1.keystores.list($0)
        },
        // No keystore has that name: their ids have 20 characters.
        Route(.post, "/v1/keystores/did", "create did", .createKeystore, .change("create-did"), isUpstream: true) {
            try await $1.keystores.createDID(&$0)
        },
        Route(.get, "/v1/keystores/{keystore}", "get key store", .manage, .look("get-keystore")) {
            try await $1.keystores.describe($0)
        },
        Route(.delete, "/v1/shares/{user}", "forget shares", .manage, .change("forget-shares"), takesShare: false) {
            try await $1.shares.forget($0)
        },
        Route(
            .post, "/v1/decryption/chain/resolve", "resolve conflict", .manage, .change("decryption-chain-resolve"),
            body: .small, takesShare: false
        ) { try await $1.chain.resolve(&$0) },
    ]

    static let keys: [Route] = [
        Route(
            .post, "/v1/keystores/{keystore}/keys", "create key", .keystore(action: "createKey"),
            .change("create-key"), isUpstream: true
        ) { try await $1.keys.create(&$0) },
        Route(
            .get, "/v1/keystores/{keystore}/keys/{key}/export", "export key", .keystore(action: "exportKey"),
            .change("export"), isUpstream: true
        ) { try await $1.keys.export($0) },
        Route(
            .put, "/v1/keystores/{keystore}/keys", "import key", .keystore(action: "importKey"),
            .change("import-key"), body: .small, isUpstream: true
        ) { try await $1.keys.importKey(&$0) },
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/rotate", "rotate key", .keystore(action: "rotateKey"),
            .change("rotate", isAboutMade: false), isUpstream: true
        ) { try await $1.keys.rotate(&$0) },
        Route(.get, "/v1/keystores/{keystore}/keys", "list keys", .manage, .look("list-keys")) {
            try await $1.keys.list($0)
        },
        Route(.get, "/v1/keystores/{keystore}/keys/{key}", "get key", .manage, .look("get-key")) {
            try await $1.keys.describe($0)
        },
        Route(.delete, "/v1/keystores/{keystore}/keys/{key}", "destroy key", .manage, .change("destroy-key")) {
            try await $1.keys.destroy($0)
        },
        Route(.post, "/v1/keystores/{keystore}/keys/{key}/disable", "disable key", .manage, .change("disable")) {
            try await $1.keys.disable($0)
        },
        Route(.post, "/v1/keystores/{keystore}/keys/{key}/enable", "enable key", .manage, .change("enable")) {
            try await $1.keys.enable($0)
        },
        Route(.post, "/v1/keystores/{keystore}/keys/{key}/restore", "restore key", .manage, .change("restore")) {
            try await $1.keys.restore($0)
        },
        // It says what exporting says, and of what kind the key is; so capabilities that were given out before hold for it.
        Route(
            .get, "/v1/keystores/{keystore}/keys/{key}/attestation", "attest key", .keystore(action: "exportKey"),
            .change("attestation")
        ) { try await $1.attestation.attest($0) },
    ]
}
