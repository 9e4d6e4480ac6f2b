import HTTPTypes
import Testing

@testable import KMSServer

@Suite("Paths")
struct TargetTests {
    @Test("Known paths")
    func known() {
        #expect(Target(path: "/v1/keystores") == .keystores)
        #expect(Target(path: "/v1/keystores/a") == .keystore("a"))
        #expect(Target(path: "/v1/keystores/did") == .did)
        #expect(Target(path: "/v1/keystores/a/keys") == .keys(keystore: "a"))
        #expect(Target(path: "/v1/keystores/a/keys/b") == .key(keystore: "a", key: "b"))
        for action in Target.Action.allCases {
            #expect(
                Target(path: "/v1/keystores/a/keys/b/\(action.rawValue)") == .action(action, keystore: "a", key: "b"))
        }
        #expect(Target.Action.allCases.filter { $0.method == .get } == [.export, .correctnessproof, .attestation])
        #expect(Target(path: "/healthcheck") == .healthcheck)
        #expect(Target(path: "/livez") == .livez)
        #expect(Target(path: "/readyz") == .readyz)
        #expect(Target(path: "/openapi.yaml") == .openapi)
    }

    @Test(
        "Everything else is unknown: no slash is forgiven, nothing is decoded",
        arguments: [
            "", "/", "//", "/v1", "/v1/", "/v1/keystores/", "/v1//keystores", "//v1/keystores", "/V1/keystores",
            "/v1/keystores//keys", "/v1/keystores/a/", "/v1/keystores/a/keys/", "/v1/keystores/a/keys//sign",
            "/v1/keystores/a/keys/b/", "/v1/keystores/a/keys/b/sign/", "/v1/keystores/a/keys/b/Sign",
            "/v1/keystores/a/keys/b/sign/x", "/v1/keystores/a/keyz/b", "/v1/%6beystores", "healthcheck",
            "/healthcheck/",
            "/v1/keystores/a/b/c/d/e/f/g/h/i/j/k", "/zvault", "/v1/keystores/a/keys/b/easyopen",
            "/v1/keystores/a/unwrap", "/v1/keystores/a/easy",
        ])
    func unknown(_ path: String) { #expect(Target(path: path[...]) == nil) }

    @Test("Query parameters are decoded once and refused twice")
    func query() throws {
        let query = try QueryParameters("limit=5&controller=did%3Aexample%3Aa%20b+c", allowed: ["limit", "controller"])
        #expect(query["controller"] == "did:example:a b c")
        #expect(try query.number("limit", in: 1...10) == 5)
        for text in ["limit=1&limit=2", "other=1", "limit", "limit=%", "limit=%zz", "limit=%ff", "limit=1&"] {
            #expect(throws: RequestError.self) { try QueryParameters(text[...], allowed: ["limit"]) }
        }
        for text in ["", "-1", "+1", "1e3", "0", "11", "99999999999999999999", "1.5"] {
            let query = try QueryParameters("limit=\(text)"[...].replacing("+", with: "%2B")[...], allowed: ["limit"])
            #expect(throws: RequestError.self) { try query.number("limit", in: 1...10) }
        }
    }
}
