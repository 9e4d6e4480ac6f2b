import Foundation
import HTTPTypes
import Testing

@testable import HTTPAPI

@Suite("Routes", .timeLimit(.minutes(10)))
struct RouteTests {
    @Test func keystoresAndKeysTheExactBytesOfEachAnswer() async throws {
        try await RESTFixture().run { client in
            let created = try await client.send(.post, "/v1/keystores", #"{"controller":"did:example:a","edv":null}"#)
            #expect(created.status == 200)
            #expect(created.headers[.contentType] == "application/json")
            #expect(created.headers[.location] == nil)
            #expect(created.text.wholeMatch(of: /\{"key_store_url":"\/v1\/keystores\/[0-9a-v]{20}"\}\n/) != nil)
            let keystore = try #require(created.members["key_store_url"])

            let key = try await client.send(.post, keystore + "/keys", #"{"key_type":"ED25519","attrs":null}"#)
            #expect(key.status == 200)
            let form =
                /\{"key_url":"\/v1\/keystores\/[0-9a-v]{20}\/keys\/[A-Za-z0-9_-]{43}","public_key":"[A-Za-z0-9+\/]{43}="\}\n/
            #expect(key.text.wholeMatch(of: form) != nil, "\(key.text)")
            let url = try #require(key.members["key_url"])

            let symmetric = try await client.send(.post, keystore + "/keys", #"{"key_type":"AES256GCM"}"#)
            #expect(symmetric.text.hasSuffix(#"","public_key":null}"# + "\n"))

            let exported = try await client.send(.get, url + "/export")
            #expect(
                exported.text == "{\"public_key\":\"\(key.members["public_key"] ?? "")\",\"key_type\":\"ED25519\"}\n")

            let signed = try await client.send(.post, url + "/sign", #"{"message":"aGVsbG8="}"#)
            #expect(signed.text.wholeMatch(of: /\{"signature":"[A-Za-z0-9+\/]{86}=="\}\n/) != nil)
            let signature = try #require(signed.members["signature"])
            let verified = try await client.send(
                .post, url + "/verify", "{\"signature\":\"\(signature)\",\"message\":\"aGVsbG8=\"}")
            #expect(verified.status == 200 && verified.text.isEmpty)
            #expect(verified.headers[.contentType] == "application/json")
        }
    }

    @Test func encryptionAndMACsGoRoundWithAndWithoutAssociatedData() async throws {
        try await RESTFixture().run { client in
            let keystore = try await client.keystore()
            for type in ["AES128GCM", "AES256GCM", "AES256GCMNoPrefix", "ChaCha20Poly1305", "XChaCha20Poly1305"] {
                let key = try await client.key(type, in: keystore)
                for extra in ["", #","associated_data":null"#, #","associated_data":"YWQ=""#] {
                    let sealed = try await client.send(.post, key + "/encrypt", "{\"message\":\"aGVsbG8=\"\(extra)}")
                    #expect(sealed.text.wholeMatch(of: /\{"ciphertext":"[^"]+","nonce":"[^"]+"\}\n/) != nil)
                    let (ciphertext, nonce) = (sealed.members["ciphertext"] ?? "", sealed.members["nonce"] ?? "")
                    let body = "{\"ciphertext\":\"\(ciphertext)\",\"nonce\":\"\(nonce)\"\(extra)}"
                    let opened = try await client.send(.post, key + "/decrypt", body)
                    #expect(opened.text == #"{"plaintext":"aGVsbG8="}"# + "\n")
                    let wrong = body.replacing(#""nonce""#, with: #""associated_data":"eA==","nonce""#)
                    if extra.isEmpty {
                        let refused = try await client.send(.post, key + "/decrypt", wrong)
                        #expect(refused.status == 400 && refused.isError)
                    }
                }
            }
            let key = try await client.key("HMACSHA256Tag256", in: keystore)
            let mac = try await client.send(.post, key + "/computemac", #"{"data":"aGVsbG8="}"#)
            #expect(mac.text.wholeMatch(of: /\{"mac":"[^"]{52}"\}\n/) != nil)
            let value = mac.members["mac"] ?? ""
            let right = try await client.send(.post, key + "/verifymac", "{\"mac\":\"\(value)\",\"data\":\"aGVsbG8=\"}")
            #expect(right.status == 200 && right.text.isEmpty)
            let wrong = try await client.send(.post, key + "/verifymac", "{\"mac\":\"\(value)\",\"data\":\"aGVsbG4=\"}")
            #expect(wrong.status == 400 && wrong.isError)
        }
    }

    @Test func importTakesPKCS8KeepsTheNameRefusesATakenOneAndAnotherCurve() async throws {
        // RFC 8410, section 10.3.
        let pkcs8 = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC"
        try await RESTFixture().run { client in
            let keystore = try await client.keystore()
            let body = "{\"key\":\"\(pkcs8)\",\"key_type\":\"ED25519\",\"key_id\":\"mine\"}"
            let imported = try await client.send(.put, keystore + "/keys", body)
            #expect(imported.text == "{\"key_url\":\"\(keystore)/keys/mine\"}\n")
            let exported = try await client.send(.get, keystore + "/keys/mine/export")
            #expect(exported.members["public_key"] == "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=")
            let again = try await client.send(.put, keystore + "/keys", body)
            #expect(again.status == 409 && again.isError)
            let escaped = body.replacing("MC4C", with: #"M\u00434C"#).replacing("mine", with: "other")
            #expect(try await client.send(.put, keystore + "/keys", escaped).status == 200)
            let signed = try await client.send(.post, keystore + "/keys/mine/sign", #"{"message":"aGVsbG8="}"#)
            let other = try await client.send(.post, keystore + "/keys/other/sign", #"{"message":"aGVsbG8="}"#)
            #expect(signed.status == 200 && signed.text == other.text)
            let curve = try await client.send(
                .put, keystore + "/keys", body.replacing("ED25519", with: "ECDSAP256DER").replacing("mine", with: "bad")
            )
            #expect(curve.status == 400 && curve.isError)
            let unnamed = try await client.send(
                .put, keystore + "/keys", body.replacing(#""mine""#, with: #""""#))
            #expect(unnamed.status == 200)
            let keys = try await client.send(.get, keystore + "/keys")
            #expect(keys.text.components(separatedBy: #""provenance":"imported""#).count == 4)
            #expect(!keys.text.contains(pkcs8))
        }
    }

    @Test func rotationRenamesDisablingAndDestructionAreRefusedWith409RestoringBringsBack() async throws {
        try await RESTFixture().run { client in
            let keystore = try await client.keystore()
            let old = try await client.key("ED25519", in: keystore)
            let rotated = try await client.send(.post, old + "/rotate", #"{"key_type":"ED25519"}"#)
            let key = try #require(rotated.members["key_url"])
            #expect(rotated.text == "{\"key_url\":\"\(key)\"}\n" && key != old)
            #expect(try await client.send(.post, old + "/sign", #"{"message":""}"#).status == 404)
            #expect(try await client.send(.post, key + "/rotate", #"{"key_type":"AES256GCM"}"#).status == 400)

            #expect(try await client.send(.post, key + "/disable").members["state"] == "disabled")
            let refused = try await client.send(.post, key + "/sign", #"{"message":""}"#)
            #expect(refused.status == 409 && refused.isError)
            #expect(try await client.send(.post, key + "/enable").members["state"] == "enabled")
            let pending = try await client.send(.delete, key + "?grace=60")
            #expect(pending.members["state"] == "pending-destruction" && pending.members["destroy_at"] != nil)
            #expect(try await client.send(.post, key + "/enable").status == 409)
            #expect(try await client.send(.post, key + "/restore").members["state"] == "disabled")
            for grace in ["-1", "", "abc", "1e9", "31536001", "1&grace=2"] {
                #expect(try await client.send(.delete, key + "?grace=" + grace).status == 400)
            }
            #expect(try await client.send(.get, key).members["state"] == "disabled")
            #expect(try await client.send(.delete, key + "?grace=0").members["state"] == "destroyed")
            #expect(try await client.send(.post, key + "/restore").status == 409)
        }
    }

    @Test func listingsPageByPage() async throws {
        try await RESTFixture(baseURL: "https://kms.example").run { client in
            var keystores: Set<String> = []
            for _ in 0..<5 {
                let url = try await client.keystore()
                #expect(url.hasPrefix("https://kms.example/v1/keystores/"))
                keystores.insert(String(url.suffix(20)))
            }
            var found: [String] = []
            var after = ""
            repeat {
                let reply = try await client.send(
                    .get, "/v1/keystores?controller=did%3Aexample%3Atest&limit=2" + after)
                let object = try JSONSerialization.jsonObject(with: Data(reply.text.utf8)) as? [String: Any]
                let items = try #require(object?["keystores"] as? [[String: Any]])
                #expect(items.count <= 2)
                found += items.compactMap { $0["id"] as? String }
                after = (object?["next"] as? String).map { "&after=" + $0 } ?? ""
            } while !after.isEmpty
            #expect(Set(found) == keystores && found.count == 5)
            let one = try await client.send(.get, "/v1/keystores/" + found[0])
            #expect(one.text.contains(#""lock_slots":[{"id":1,"kind":"localFile","identity":""#))
            #expect(try await client.send(.get, "/v1/keystores?controller=nobody").text == #"{"keystores":[]}"# + "\n")
            #expect(try await client.send(.get, "/v1/keystores/\(found[0])/keys").text == #"{"keys":[]}"# + "\n")
        }
    }

    @Test func healthTheProcessAndWithReasonsWhetherRequestsCanSucceed() async throws {
        try await RESTFixture().run { client in
            let health = try await client.send(.get, "/healthcheck")
            let form = /\{"status":"success","current_time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"\}\n/
            #expect(health.text.wholeMatch(of: form) != nil)
            #expect(try await client.send(.get, "/livez").text == #"{"status":"alive"}"# + "\n")
            let ready = try await client.send(.get, "/readyz")
            #expect(ready.status == 200 && ready.text == #"{"status":"ready","problems":[]}"# + "\n")
            let document = try await client.send(.get, "/openapi.yaml")
            #expect(document.headers[.contentType] == "application/yaml" && document.text.hasPrefix("openapi: 3.1.0"))
        }
        let problem = TokenProblem(code: "token-not-found", message: "No token.")
        try await RESTFixture(tokenProblem: { problem }).run { client in
            let reply = try await client.send(.get, "/readyz")
            #expect(reply.status == 503 && reply.headers[.retryAfter] == "1")
            #expect(
                reply.text == #"{"status":"not ready","problems":[{"component":"token","code":"token-not-found","#
                    + #""message":"No token."}]}"# + "\n")
            #expect(try await client.send(.get, "/healthcheck").status == 200)
        }
    }

    @Test func theRequestIdComesBack() async throws {
        try await RESTFixture().run { client in
            let given = try await client.send(.get, "/livez", headers: [.xRequestID: "abc-1"])
            #expect(given.headers[.xRequestID] == "abc-1")
            #expect(try await client.send(.get, "/livez").headers[.xRequestID]?.isEmpty == false)
            #expect(try await client.send(.get, "/nowhere").headers[.xRequestID]?.isEmpty == false)
        }
    }
}
