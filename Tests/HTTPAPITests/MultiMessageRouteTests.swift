import HTTPTypes
import Testing

@testable import HTTPAPI

@Suite("Routes of signatures over lists of messages", .timeLimit(.minutes(10)))
struct MultiMessageRouteTests {
    private static let messages = #"["bWVzc2FnZTE=","bWVzc2FnZTI="]"#

    @Test func signVerifyDeriveVerifyTheProofTheExactFormOfEachAnswer() async throws {
        try await RESTFixture().run { client in
            let key = try await client.key("BLS12381G2", in: try await client.keystore())
            let signed = try await client.send(.post, key + "/signmulti", "{\"messages\":\(Self.messages)}")
            #expect(signed.status == 200)
            #expect(signed.text.wholeMatch(of: /\{"signature":"[A-Za-z0-9+\/]{150}=="\}\n/) != nil, "\(signed.text)")
            let signature = try #require(signed.members["signature"])
            let verified = try await client.send(
                .post, key + "/verifymulti", "{\"signature\":\"\(signature)\",\"messages\":\(Self.messages)}")
            #expect(verified.status == 200 && verified.text.isEmpty)
            #expect(verified.headers[.contentType] == "application/json")
            func derive(_ nonce: String) async throws -> RESTFixture.Reply {
                try await client.send(
                    .post, key + "/deriveproof",
                    "{\"signature\":\"\(signature)\",\"messages\":\(Self.messages),\"revealed_indexes\":[1]\(nonce)}")
            }
            for nonce in ["", #","nonce":null"#, #","nonce":"""#] {
                let refused = try await derive(nonce)
                #expect(refused.status == 400 && refused.isError)
                #expect(refused.text.contains("'nonce' is missing or empty"))
            }
            let nonce = #","nonce":"bm9uY2U=""#
            let derived = try await derive(nonce)
            let proof = try #require(derived.members["proof"])
            // 3 + 144 + 4 + 116 + 148 bytes.
            #expect(proof.utf8.count == 556)
            let body = "{\"proof\":\"\(proof)\",\"messages\":[\"bWVzc2FnZTI=\"]\(nonce)}"
            let right = try await client.send(.post, key + "/verifyproof", body)
            #expect(right.status == 200 && right.text.isEmpty)
            let wrong = try await client.send(
                .post, key + "/verifyproof", body.replacing("bWVzc2FnZTI=", with: "bWVzc2FnZTE="))
            #expect(wrong.status == 400 && wrong.isError)
        }
    }

    @Test(
        "Lists that are none, too long or of other things are refused and named",
        arguments: [
            ("null", "'messages' is missing"), ("[]", "1 to 1000 messages"), ("[1]", "not an array of strings"),
            (#"["bQ==",{}]"#, "not an array of strings"), (#""bQ==""#, "not an array of strings"),
            (#"["*"]"#, "'messages' is not base64"), (#"{"0":"bQ=="}"#, "not an array of strings"),
            ("[" + String(repeating: #""","#, count: 1000) + #"""]"#, "more than 1000 elements"),
        ])
    func listsThatAreNoneTooLongOrOfOtherThingsAreRefusedAndNamed(_ list: String, _ reason: String) async throws {
        try await RESTFixture().run { client in
            let key = try await client.key("BLS12381G2", in: try await client.keystore())
            let answer = try await client.send(.post, key + "/signmulti", "{\"messages\":\(list)}")
            #expect(answer.status == 400 && answer.isError)
            #expect(answer.members["message"]?.contains(reason) == true, "\(answer.text)")
        }
    }

    @Test(
        "Indexes that name no message are refused",
        arguments: [
            "[]", "[2]", "[-1]", "[0,0]", "[0.5]", "[1e0]", #"["0"]"#, "[99999999999999999999]", "null", "0",
            "[" + String(repeating: "0,", count: 1000) + "0]",
        ])
    func indexesThatNameNoMessageAreRefused(_ indexes: String) async throws {
        try await RESTFixture().run { client in
            let key = try await client.key("BLS12381G2", in: try await client.keystore())
            let signed = try await client.send(.post, key + "/signmulti", "{\"messages\":\(Self.messages)}")
            let signature = try #require(signed.members["signature"])
            let answer = try await client.send(
                .post, key + "/deriveproof",
                "{\"signature\":\"\(signature)\",\"messages\":\(Self.messages),\"revealed_indexes\":\(indexes)}")
            #expect(answer.status == 400 && answer.isError)
            #expect(answer.members["message"]?.contains("'revealed_indexes'") == true, "\(answer.text)")
        }
    }

    @Test func clSignaturesAreToldToBeAbsentWithTheErrorBody() async throws {
        try await RESTFixture().run { client in
            let key = try await client.key("ED25519", in: try await client.keystore())
            for (method, name) in [
                (HTTPRequest.Method.post, "blind"), (.get, "correctnessproof"), (.post, "signwithsecrets"),
            ] {
                let answer = try await client.send(method, "\(key)/\(name)", method == .post ? "{}" : nil)
                #expect(answer.status == 501 && answer.isError)
                let other = try await client.send(method == .post ? .get : .post, "\(key)/\(name)")
                #expect(other.status == 405)
            }
        }
    }
}
