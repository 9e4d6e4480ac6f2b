import Foundation
import HTTPTypes
import Testing

@testable import HTTPAPI

@Suite("Refusals", .timeLimit(.minutes(10)))
struct RefusalTests {
    @Test(
        "A malformed body: 400, both texts, nothing stored",
        arguments: [
            "", "x", "null", "[]", "\"ED25519\"", #"{"key_type":"ED25519""#, #"{"key_type":"ED25519"}{}"#,
            #"{"key_type":"ED25519",}"#,
            "{'key_type':'ED25519'}", #"{"key_type":25519}"#, #"{"key_type":["ED25519"]}"#, #"{"key_type":{}}"#,
            #"{"key_type":null}"#,
            "{}", "{\"key_type\":\"ED25519\n\"}", #"{"key_type":"ED25519\ud800"}"#,
            #"{"key_type":"ED25519","key_type":"ED25519"}"#,
            #"{"key_type":"ED25519","attrs":5}"#, #"{"key_type":"ED25519","attrs":[1]}"#, #"{"key_type":"ED448"}"#,
            #"{"key_type":""}"#,
            #"{"key_type":"ed25519"}"#, #"{"key_type":"ECDSASecp256k1DER"}"#, #"{"key_type":"RSARS256"}"#,
            "{\"key_type\":\"ED25519\",\"x\":" + String(repeating: "[", count: 5000)
                + String(repeating: "]", count: 5000) + "}",
        ])
    func aMalformedBodyIsAnsweredWith400AndStoresNothing(_ body: String) async throws {
        try await RESTFixture().run { client in
            let keystore = try await client.keystore()
            let reply = try await client.send(.post, keystore + "/keys", body)
            #expect(reply.status == 400 && reply.isError, "\(reply)")
            #expect(try await client.send(.get, keystore + "/keys").text == #"{"keys":[]}"# + "\n")
        }
    }

    @Test(
        "A keystore needs a controller, and a vault its URL and capability",
        arguments: [
            "{}", #"{"controller":""}"#, #"{"controller":null}"#, #"{"controller":7}"#, #"{"controller":"a\u0000"}"#,
            #"{"controller":"a","edv":{"vault_url":"x"}}"#, #"{"controller":"a","edv":[]}"#,
            #"{"controller":"a","edv":{"vault_url":"https://edv.example/v","capability":"%"}}"#,
            #"{"controller":"a","protection":"none"}"#,
            #"{"controller":"a","protection":1}"#,
        ])
    func aKeystoreNeedsAControllerAndAVaultItsURLAndCapability(_ body: String) async throws {
        try await RESTFixture().run { client in
            let reply = try await client.send(.post, "/v1/keystores", body)
            #expect(reply.status == 400 && reply.isError, "\(reply)")
            #expect(try await client.send(.get, "/v1/keystores").text == #"{"keystores":[]}"# + "\n")
        }
    }

    @Test func residentKeystoresNeedATokenThatCanHoldKeys() async throws {
        try await RESTFixture().run { client in
            let reply = try await client.send(.post, "/v1/keystores", #"{"controller":"a","protection":"resident"}"#)
            #expect(reply.status == 501 && reply.isError)
        }
    }

    @Test(
        "Wrong base64 names its member",
        arguments: ["\"*\"", "\"a\"", "\"=\"", "\"aGVs bG8=\"", "\"aGVsbG8==\"", "5", "{}", "[]"])
    func wrongBase64NamesItsMember(_ value: String) async throws {
        try await RESTFixture().run { client in
            let keystore = try await client.keystore()
            let key = try await client.key("ED25519", in: keystore)
            let signed = try await client.send(.post, key + "/sign", "{\"message\":\(value)}")
            #expect(signed.status == 400 && signed.isError && signed.text.contains("'message'"))
            let imported = try await client.send(
                .put, keystore + "/keys", "{\"key\":\(value),\"key_type\":\"ED25519\",\"key_id\":\"bad\"}")
            #expect(imported.status == 400 && imported.isError && imported.text.contains("'key'"))
            #expect(try await client.send(.get, keystore + "/keys/bad").status == 404)
        }
    }

    @Test func whatIsNotThereIs404ANameThatCannotBeOneIs400() async throws {
        try await RESTFixture().run { client in
            let keystore = try await client.keystore()
            let nobody = "/v1/keystores/c0000000000000000000"
            for (method, path, body) in [
                (HTTPRequest.Method.get, nobody, nil), (.get, nobody + "/keys", nil),
                (.post, nobody + "/keys", #"{"key_type":"ED25519"}"#), (.get, keystore + "/keys/nobody", nil),
                (.get, keystore + "/keys/nobody/export", nil), (.delete, keystore + "/keys/nobody", nil),
                (.post, keystore + "/keys/nobody/sign", #"{"message":""}"#),
                (.post, keystore + "/keys/nobody/disable", nil),
            ] as [(HTTPRequest.Method, String, String?)] {
                let reply = try await client.send(method, path, body)
                #expect(reply.status == 404 && reply.isError, "\(method) \(path): \(reply)")
            }
            for name in ["%2e%2e", "..", ".", "a%2fb", "%00", "a;x", "a%20b", String(repeating: "a", count: 129), "é"] {
                let reply = try await client.send(.post, keystore + "/keys/\(name)/sign", #"{"message":""}"#)
                #expect(reply.status == 400 && reply.isError, "\(name): \(reply)")
            }
        }
    }

    @Test func anUnknownPathIs404InPlainTextAWrongMethod405WithoutABody() async throws {
        try await RESTFixture().run { client in
            let keystore = try await client.keystore()
            let key = try await client.key("ED25519", in: keystore)
            for path in [
                "/", "/v1", "/v1/keystores/", "/v2/keystores", key + "/privatekey", key + "/sign/", "/v1//keystores",
            ] {
                let reply = try await client.send(.get, path)
                #expect(reply.status == 404 && reply.text == "404 page not found\n")
                #expect(reply.headers[.contentType] == "text/plain; charset=utf-8")
            }
            for (method, path) in [
                (.delete, "/v1/keystores"), (.patch, "/v1/keystores"), (.get, key + "/sign"),
                (.delete, keystore + "/keys"),
                (.put, key + "/sign"), (.post, key + "/export"), (.post, "/healthcheck"), (.get, key + "/disable"),
                (.head, key + "/disable"), (.options, keystore), (.post, keystore), (.put, key),
            ] as [(HTTPRequest.Method, String)] {
                let reply = try await client.send(method, path)
                #expect(reply.status == 405 && reply.text.isEmpty && reply.headers[.allow] != nil, "\(method) \(path)")
            }
            #expect(try await client.send(.get, "http://elsewhere/v1/keystores").status == 400)
            #expect(try await client.send(.options, "*").status == 400)
        }
    }

    @Test func aBodyAboveTheLimitIs413AnnouncedOrNotAndExactlyTheLimitIsNot() async throws {
        try await RESTFixture(maximumBody: 4096).run { client in
            let keystore = try await client.keystore()
            let key = try await client.key("ED25519", in: keystore)
            func body(_ count: Int) -> String {
                let frame = #"{"message":"","x":""}"#.utf8.count
                return #"{"message":"","x":""# + String(repeating: "y", count: count - frame) + #""}"#
            }
            #expect(try await client.send(.post, key + "/sign", body(4096)).status == 200)
            for path in [key + "/sign", key + "/rotate", keystore + "/keys", "/v1/keystores"] {
                let reply = try await client.send(.post, path, body(4097))
                #expect(reply.status == 413 && reply.isError)
            }
            #expect(try await client.send(.put, keystore + "/keys", body(4097)).status == 413)
            #expect(try await client.send(.post, key + "/sign", body(1 << 20)).status == 413)
            #expect(
                try await client.send(.get, keystore + "/keys").text.components(separatedBy: #""state""#).count == 2)
        }
    }

    @Test func aKeyOfTheWrongKindIs400AMissingMemberToo() async throws {
        try await RESTFixture().run { client in
            let keystore = try await client.keystore()
            let signing = try await client.key("ED25519", in: keystore)
            let aead = try await client.key("AES256GCM", in: keystore)
            for (path, body) in [
                (signing + "/encrypt", #"{"message":""}"#), (signing + "/computemac", #"{"data":""}"#),
                (aead + "/sign", #"{"message":""}"#),
                (signing + "/sign", "{}"), (signing + "/sign", #"{"message":false}"#),
                (signing + "/verify", #"{"message":""}"#),
                (signing + "/verify", #"{"signature":""}"#), (signing + "/verify", #"{"signature":"","message":""}"#),
                (signing + "/verify", #"{"signature":null,"message":null}"#),
                (aead + "/decrypt", #"{"ciphertext":""}"#), (aead + "/decrypt", #"{"ciphertext":"","nonce":""}"#),
                (aead + "/encrypt", #"{"message":"","associated_data":5}"#),
            ] {
                let reply = try await client.send(.post, path, body)
                #expect(reply.status == 400 && reply.isError, "\(path) \(body): \(reply)")
            }
            #expect(try await client.send(.get, aead + "/export").status == 400)
        }
    }
}
