import HTTPTypes
import Hummingbird

/// The rows that use a key, in the order in which a root capability lists their actions.
///
/// Source: keystore API sections 4 to 7.
extension Route {
    static let operations: [Route] = [
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/sign", "sign", .keystore(action: "sign"), .use("sign"),
            isUpstream: true
        ) { try await $1.operations.sign($0) },
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/verify", "verify", .keystore(action: "verify"),
            .use("verify"), isUpstream: true
        ) { try await $1.operations.verify($0) },
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/computemac", "compute MAC", .keystore(action: "computeMAC"),
            .use("computemac"), isUpstream: true
        ) { try await $1.operations.computeMAC($0) },
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/verifymac", "verify MAC", .keystore(action: "verifyMAC"),
            .use("verifymac"), isUpstream: true
        ) { try await $1.operations.verifyMAC($0) },
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/encrypt", "encrypt", .keystore(action: "encrypt"),
            .use("encrypt"), isUpstream: true
        ) { try await $1.operations.encrypt($0) },
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/decrypt", "decrypt", .keystore(action: "decrypt"),
            .use("decrypt"), isUpstream: true
        ) { try await $1.operations.decrypt($0) },
    ]

    /// The later generation of clients sends these to wrap and unwrap.
    static let boxes: [Route] = [
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/easy", "easy", .keystore(action: "easy"), .use("easy"),
            isUpstream: true
        ) { try await $1.agreement.easy($0) },
        Route(
            .post, "/v1/keystores/{keystore}/easyopen", "easy open", .keystore(action: "easyOpen"),
            .use("easyopen"), isUpstream: true
        ) { try await $1.agreement.easyOpen($0) },
        Route(
            .post, "/v1/keystores/{keystore}/sealopen", "seal open", .keystore(action: "sealOpen"),
            .use("sealopen"), isUpstream: true
        ) { try await $1.agreement.sealOpen($0) },
    ]

    /// Signatures over lists of messages (BBS+).
    static let multiMessage: [Route] = [
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/signmulti", "sign multi", .keystore(action: "signMulti"),
            .use("signmulti"), isUpstream: true
        ) { try await $1.multiMessage.sign($0) },
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/verifymulti", "verify multi",
            .keystore(action: "verifyMulti"), .use("verifymulti"), isUpstream: true
        ) { try await $1.multiMessage.verify($0) },
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/deriveproof", "derive proof",
            .keystore(action: "deriveProof"), .use("deriveproof"), isUpstream: true
        ) { try await $1.multiMessage.deriveProof($0) },
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/verifyproof", "verify proof",
            .keystore(action: "verifyProof"), .use("verifyproof"), isUpstream: true
        ) { try await $1.multiMessage.verifyProof($0) },
    ]

    static let wrapping: [Route] = [
        Route(
            .post, "/v1/keystores/{keystore}/wrap", "wrap key", .keystore(action: "wrap"), .use("wrap"),
            isUpstream: true
        ) { try await $1.agreement.wrapAnonymously($0) },
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/wrap", "wrap key", .keystore(action: "wrap"), .use("wrap"),
            isUpstream: true
        ) { try await $1.agreement.wrap($0) },
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/unwrap", "unwrap key", .keystore(action: "unwrap"),
            .use("unwrap"), isUpstream: true
        ) { try await $1.agreement.unwrap($0) },
    ]

    /// CL signatures, which this daemon does not make.
    static let blindSignatures: [Route] = [
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/blind", "blind", .keystore(action: "blind"), .use("blind"),
            isUpstream: true
        ) { call, api in try api.multiMessage.unsupported() },
        Route(
            .get, "/v1/keystores/{keystore}/keys/{key}/correctnessproof", "correctness proof",
            .keystore(action: "correctnessProof"), .use("correctnessproof"), isUpstream: true
        ) { call, api in try api.multiMessage.unsupported() },
        Route(
            .post, "/v1/keystores/{keystore}/keys/{key}/signwithsecrets", "sign with secrets",
            .keystore(action: "signWithSecrets"), .use("signwithsecrets"), isUpstream: true
        ) { call, api in try api.multiMessage.unsupported() },
    ]
}
