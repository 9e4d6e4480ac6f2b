import BearerTokens
import Foundation
import HTTPTypes
import SecretMemory
import TestSupport
import Testing

@testable import HTTPAPI
@testable import KMSConfiguration

@Suite("The guard of making keystores and of own routes", .timeLimit(.minutes(10)))
struct ManagementGuardTests {
    private static let key = [UInt8](repeating: 7, count: 32)

    private func fixture(_ mode: CapabilityMode = .off) throws -> RESTFixture {
        let settings = BearerTokenSettings(secret: SharedSecret(try secret(Self.key)))
        return try RESTFixture(
            baseURL: mode == .off ? "" : "https://kms.example", capabilities: mode,
            administration: .tokens(BearerTokenVerifier(settings)))
    }

    private func token(service: Bool = false, seconds: Int64 = 60, key: [UInt8] = key) throws -> String {
        try BearerTokenIssuer.issue(
            user: "alice", isService: service, seconds: seconds, now: Int64(Date().timeIntervalSince1970),
            secret: try secret(key))
    }

    private func bearer(_ token: String) -> HTTPFields { [.authorization: "Bearer " + token] }

    private let body = #"{"controller":"did:example:me"}"#

    @Test func makingAKeystoreNeedsATokenInEitherHeader() async throws {
        let (good, wrong) = (try token(), try token(key: [UInt8](repeating: 8, count: 32)))
        let old = try token(seconds: -61)
        try await fixture().run { client in
            let none = try await client.send(.post, "/v1/keystores", body)
            #expect(none.status == 401 && none.isError && none.headers[.wwwAuthenticate] == "Bearer")
            for headers: HTTPFields in [
                bearer(good), [.authorization: "bearer " + good], [.jwtToken: good],
            ] {
                #expect(try await client.send(.post, "/v1/keystores", body, headers: headers).status == 200)
            }
            let invalid = try await client.send(.post, "/v1/keystores", body, headers: bearer(wrong))
            #expect(invalid.status == 401 && invalid.text.contains("invalid signature") && invalid.isError)
            #expect(invalid.headers[.wwwAuthenticate]?.contains("invalid_token") == true)
            for value in ["Bearer", "Bearer ", "Basic " + good, good, "Bearer " + old, "Bearer x.y.z"] {
                #expect(
                    try await client.send(.post, "/v1/keystores", body, headers: [.authorization: value]).status == 401)
            }
            var two = bearer(good)
            two[.jwtToken] = good
            #expect(try await client.send(.post, "/v1/keystores", body, headers: two).status == 400)
        }
    }

    /// One right against every own route; the keystore's other routes stay with what guards keystores.
    @Test(arguments: [CapabilityMode.off, .compatible])
    func ownRoutesNeedAServicesToken(_ mode: CapabilityMode) async throws {
        let (user, service) = (try token(), try token(service: true))
        try await fixture(mode).run { client in
            let made = try await client.send(.post, "/v1/keystores", body, headers: bearer(user))
            let url = try #require(made.members["key_store_url"]).replacing("https://kms.example", with: "")
            let key = url + "/keys/nothing"
            let own: [(HTTPRequest.Method, String, Int)] = [
                (.get, "/v1/keystores", 200), (.get, url, 200), (.get, url + "/keys", 200), (.get, key, 404),
                (.delete, key, 404), (.post, key + "/disable", 404), (.post, key + "/enable", 404),
                (.post, key + "/restore", 404),
            ]
            for (method, path, expected) in own {
                #expect(try await client.send(method, path).status == 401, "\(method) \(path)")
                #expect(try await client.send(method, path, headers: bearer(user)).status == 403, "\(method) \(path)")
                let reply = try await client.send(method, path, headers: bearer(service))
                #expect(reply.status == expected, "\(method) \(path): \(reply.text)")
            }
            let sign = try await client.send(.post, key + "/sign", "{}", headers: bearer(service))
            #expect(sign.status == (mode == .off ? 400 : 401))
            for path in ["/healthcheck", "/livez", "/readyz", "/openapi.yaml"] {
                #expect(try await client.send(.get, path).status == 200)
            }
        }
    }

    @Test func withoutAConnectionThereIsNoClientCertificate() async throws {
        try await RESTFixture(administration: .certificates).run { client in
            let made = try await client.send(.post, "/v1/keystores", body)
            let listed = try await client.send(.get, "/v1/keystores")
            #expect(made.status == 401 && listed.status == 401)
        }
    }
}
