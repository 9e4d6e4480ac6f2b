import Foundation
import HTTPTypes
import Testing
import Yams

@testable import HTTPAPI

/// The one table of routes: every row is found, named, guarded, recorded and described.
@Suite(.timeLimit(.minutes(10))) struct RouteTableTests {
    private let table = RouteTable.standard

    /// A path of the route, with names in its braces.
    private func path(_ route: Route) -> String {
        "\(route.path)".replacing("{keystore}", with: "a").replacing("{client_id}", with: "a")
            .replacing("{user}", with: "a").replacing("{key}", with: "b")
    }

    private func found(_ path: String, _ method: HTTPRequest.Method) -> Route? {
        table.find(path[...])?.place.route(method)
    }

    @Test func everyRowIsFoundByItsPathAndMethodAndByNoOther() throws {
        #expect(table.routes.count == 81)
        for route in table.routes {
            let match = try #require(table.find(path(route)[...]), "\(route.path)")
            #expect("\(match.place.path)" == "\(route.path)")
            let here = try #require(match.place.route(route.method))
            #expect(here.operation.description == route.operation.description)
            #expect(match.parameters.first == ("\(route.path)".contains("{") ? "a" : ""))
            #expect(match.parameters.second == ("\(route.path)".contains("{key}") ? "b" : ""))
            #expect(match.place.route(.patch) == nil)
        }
        #expect(Set(table.routes.map { "\($0.method) \($0.path)" }).count == table.routes.count)
    }

    @Test(arguments: [
        "", "/", "//", "/v1", "/v1/", "/v1/keystores/", "/v1//keystores", "//v1/keystores", "/V1/keystores",
        "/v1/keystores//keys", "/v1/keystores/a/", "/v1/keystores/a/keys/", "/v1/keystores/a/keys//sign",
        "/v1/keystores/a/keys/b/", "/v1/keystores/a/keys/b/sign/", "/v1/keystores/a/keys/b/Sign",
        "/v1/keystores/a/keys/b/sign/x", "/v1/keystores/a/keyz/b", "/v1/%6beystores", "healthcheck",
        "/healthcheck/", "/v1/keystores/a/b/c/d/e/f/g/h/i/j/k", "/zvault", "/v1/keystores/a/keys/b/easyopen",
        "/v1/keystores/a/unwrap", "/v1/keystores/a/easy", "/v1/shares/", "/v1/shares/a/b", "/zvault/key/",
        "/zauth/sign",
        "/kms", "/kms/", "/kmss/keystores", "/kms/v1/keystores", "/kms/keystores/a", "/kms/keystores/a/keys/b",
        "/kms/keystores//import", "/kms/keystores/a/import/", "/kms/keystores/did", "/kms/keystores/a/keys/b/rotate",
        "/kms/keystores/a/keys/b/wrap", "/kms/keystores/a/keys/b/disable", "/kms/keystores/a/keys/b/blind",
        "/kms/healthcheck", "/kms/livez",
    ])
    func noSlashIsForgivenAndNothingIsDecoded(_ path: String) { #expect(table.find(path[...]) == nil) }

    @Test func aNameThatIsAlsoAWordIsANameBelowIt() throws {
        #expect(found("/v1/keystores/did", .post)?.operation.description == "create did")
        #expect(found("/v1/keystores/did", .get) == nil)
        let match = try #require(table.find("/v1/keystores/did/keys"))
        #expect(match.parameters.first == "did" && "\(match.place.path)" == "/v1/keystores/{keystore}/keys")
        #expect(table.find("/v1/keystores/é/keys")?.parameters.first == "é")
    }

    @Test func whatIsNotServedWithAMethodSaysWhichOnesAre() {
        func methods(_ path: String) -> String? { table.find(path[...])?.place.methods }
        #expect(methods("/v1/keystores") == "GET, POST")
        #expect(methods("/v1/keystores/a/keys") == "GET, POST, PUT")
        #expect(methods("/v1/keystores/a/keys/b") == "GET, DELETE")
        #expect(methods("/v1/keystores/a/keys/b/sign") == "POST")
        #expect(methods("/v1/shares/a") == "DELETE")
        #expect(methods("/v1/decryption/chain/resolve") == "POST")
        #expect(methods("/zvault/restrictions/a") == "PUT")
    }

    @Test func rootCapabilitiesListTheActionsInTheOrderTheyAlwaysHad() {
        #expect(
            RouteTable.capabilityActions == [
                "createKey", "exportKey", "importKey", "rotateKey", "sign", "verify", "computeMAC", "verifyMAC",
                "encrypt", "decrypt", "easy", "easyOpen", "sealOpen", "signMulti", "verifyMulti", "deriveProof",
                "verifyProof", "wrap", "unwrap", "blind", "correctnessProof", "signWithSecrets",
            ])
    }

    /// Whatever needs an authority is a decision; whatever needs none decides nothing.
    @Test func everyRowIsRecordedOrDecidesNothing() {
        for route in table.routes where !route.dialect.isSplit {
            #expect((route.record == nil) == (route.needs == .none), "\(route.path)")
            if case .keystore = route.needs {
                #expect("\(route.path)".contains("{keystore}"))
                #expect(route.isUpstream == (route.dialect == .present && "\(route.operation)" != "attest key"))
            }
            #expect(route.needs != .user && route.needs != .userIfShown)
        }
        for route in table.routes where route.dialect.isSplit {
            #expect(route.record == nil && (route.needs == .user || route.needs == .userIfShown))
        }
        // One word for one operation, whichever generation asks for it.
        var operations: [String: String] = [:]
        for route in table.routes where route.dialect == .present {
            guard let word = route.record?.word else { continue }
            let known = operations.updateValue("\(route.operation)", forKey: word)
            #expect(known == nil || known == "\(route.operation)", "\(word)")
        }
        #expect(found("/v1/keystores/a/keys/b", .delete)?.record == .change("destroy-key"))
        #expect(found("/v1/keystores/a/keys/b/sign", .post)?.record == .use("sign"))
        #expect(found("/v1/keystores/a/keys/b/correctnessproof", .get)?.record == .use("correctnessproof"))
        #expect(found("/v1/keystores/a/keys/b/export", .get)?.record == .change("export"))
        #expect(found("/v1/keystores/a/keys/b/attestation", .get)?.record == .change("attestation"))
        #expect(found("/v1/keystores/a/keys/b/rotate", .post)?.record?.isAboutMade == false)
    }

    /// A route of the first generation asks for what the same place asks for today.
    @Test func theFirstGenerationIsGuardedAndRecordedAsThePresentOne() throws {
        let own = ["/kms/keystores/{keystore}/import", "/kms/keystores/{keystore}/capability"]
        for route in table.routes where route.dialect == .firstGeneration && !own.contains("\(route.path)") {
            let present = try #require(found("/v1" + path(route).dropFirst(4), route.method), "\(route.path)")
            #expect(present.needs == route.needs && present.record == route.record, "\(route.path)")
        }
        #expect(found("/kms/keystores/a/import", .post)?.needs == .keystore(action: "importKey"))
        #expect(found("/kms/keystores/a/capability", .post)?.needs == .keystore(action: "updateEDVCapability"))
    }

    @Test func metricsNameRoutesWithoutIdentifiers() {
        for place in table.places {
            #expect(place.metric == (place.dialect == .firstGeneration ? "other" : "\(place.path)"))
        }
    }

    /// The published description and the table say the same: paths, methods, and which routes are this server's own.
    @Test func everyRowIsDescribedAndNothingElse() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/HTTPAPI/Resources/openapi.yaml")
        let document = try #require(try Yams.load(yaml: String(contentsOf: file, encoding: .utf8)) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        var described: Set<String> = []
        for (path, item) in paths {
            for method in ["get", "put", "post", "delete"] where item[method] != nil {
                described.insert("\(method.uppercased()) \(path)")
            }
        }
        #expect(described == Set(table.routes.map { "\($0.method) \($0.path)" }))
    }
}
