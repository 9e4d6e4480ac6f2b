import Capabilities
import Encodings
import Foundation
import LibCrypto
import OutboundHTTP
import Synchronization
import TestSupport
import Testing

@testable import GNAP

extension GNAPVerifierTests {
    @Test(arguments: [
        "", "GNAP", "GNAP ", "GNAP a b", "Bearer abc", "abc", "GNAP \"", "GNAP a\\", "GNAP é",
        "GNAP " + String(repeating: "a", count: 4097),
    ])
    func otherTokensAreRefusedWithoutAsking(_ field: String) async throws {
        let client = try GNAPClient()
        var request = try client.request()
        request.fields["authorization"] = [field]
        #expect(await refusal(request, try verifier()) == .tokenRefused)
        request.fields["authorization"] = ["GNAP a", "GNAP a"]
        #expect(await refusal(request, try verifier()) == .tokenRefused)
        #expect(server.count == 0)
    }

    @Test func inactiveAndUnboundTokensAreRefused() async throws {
        let client = try GNAPClient()
        let verifier = try verifier()
        for answer in [
            #"{"active":false}"#, #"{"active":false,"key":{"jwk":\#(client.jwk)}}"#, #"{"active":true}"#,
            #"{"active":true,"key":null}"#, #"{"active":true,"key":{"proof":"httpsig"}}"#,
            client.active(proof: "mtls"), #"{"active":true,"key":{"jwk":{"kty":"oct","k":"AAAA"}}}"#,
            #"{"active":true,"key":{"jwk":{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}}}"#,
            #"{"active":true,"key":{"jwk":{"kty":"OKP","crv":"Ed25519","x":"\#(String(repeating: "A", count: 43))"}}}"#,
            client.active(subject: ""),
        ] {
            server.answers(answer)
            #expect(await refusal(try client.request(), verifier) == .tokenRefused, "\(answer)")
        }
    }

    @Test func anAuthorizationServerThatLiesOrIsDownLetsNobodyIn() async throws {
        let client = try GNAPClient()
        let verifier = try verifier()
        #expect(await refusal(try client.request(), verifier) == .introspectionFailed)
        for (status, body) in [
            (500, client.active()), (302, client.active()), (200, ""), (200, "[]"), (200, "{}"),
            (200, #"{"active":"true"}"#), (200, #"{"active":1}"#), (200, #"{"active":false,"active":true}"#),
            (200, client.active() + String(repeating: " ", count: 70_000)),
        ] {
            server.answers(body, status: status)
            #expect(
                await refusal(try client.request(), verifier) == .introspectionFailed, "\(status) \(body.prefix(40))")
        }
    }

    @Test func signaturesCanBeSwitchedOffTokensCannot() async throws {
        let client = try GNAPClient()
        let verifier = try verifier(signatures: false)
        server.answers(client.active())
        #expect(await refusal(try client.request(sign: false), verifier) == nil)
        server.answers(#"{"active":false}"#)
        #expect(await refusal(try client.request(sign: false), verifier) == .tokenRefused)
    }

    @Test func aSignatureDatedAheadStaysUsedOverAStart() async throws {
        let client = try GNAPClient()
        server.answers(client.active())
        let ahead = try client.request(parameters: "created=\(GNAPClient.now + 60)")
        let before = try verifier()
        #expect(try await before.verify(try client.request(), now: GNAPClient.now).spent == nil)
        let spent = try #require(try await before.verify(ahead, now: GNAPClient.now).spent)
        #expect(spent.created == GNAPClient.now + 60)
        let start = GNAPClient.now + 2
        let after = GNAPVerifier(
            server: "https://auth.example", key: try resourceServerKey(), outbound: server, checksSignatures: true,
            cacheSeconds: 0, earlier: EarlierSignatures(since: start, spent: [spent]))
        for later in stride(from: Int64(0), through: 125, by: 1) {
            #expect(await refusal(ahead, after, now: start + later) == .signatureRefused, "\(later)")
        }
        let other = try client.request(parameters: "created=\(GNAPClient.now + 60)")
        #expect(await refusal(other, after, now: start) == nil)
    }

    @Test func everyRequestIsAskedAboutUnlessACacheIsConfigured() async throws {
        let client = try GNAPClient()
        server.answers(client.active())
        let (careful, quick) = (try verifier(), try verifier(cache: 5))
        // The last quarter is shared with others.
        for _ in 0..<3 { #expect(await refusal(try client.request(), careful) == nil) }
        #expect(server.count == 3)
        // The last quarter is shared with others.
        for _ in 0..<3 { #expect(await refusal(try client.request(), quick) == nil) }
        #expect(server.count == 4)
        // Only what is active is remembered, and only for so long; the signature counts each time.
        let thief = try GNAPClient()
        #expect(await refusal(try thief.request(), quick) == .signatureRefused)
        server.answers(#"{"active":false}"#)
        let later = try client.request(parameters: "created=1800000005")
        #expect(await refusal(later, quick, now: GNAPClient.now + 5) == .tokenRefused)
    }

    /// A token that was ended is not active again for as long as a clock was set back.
    @Test func aClockThatWasSetBackMakesNoCachedAnswerLastLonger() async throws {
        let client = try GNAPClient()
        server.answers(client.active())
        let quick = try verifier(cache: 5)
        #expect(await refusal(try client.request(), quick) == nil)
        server.answers(#"{"active":false}"#)
        let earlier = try client.request(parameters: "created=1799996400")
        #expect(await refusal(earlier, quick, now: GNAPClient.now - 3600) == .tokenRefused)
        let within = try client.request(parameters: "created=1800000004")
        #expect(await refusal(within, quick, now: GNAPClient.now + 4) == nil)
    }

    @Test func theCallToTheServerIsSigned() async throws {
        let key = try resourceServerKey()
        let verifier = GNAPVerifier(
            server: "https://auth.example", key: key, outbound: server, checksSignatures: true, cacheSeconds: 0)
        let client = try GNAPClient()
        server.answers(client.active())
        _ = try await verifier.verify(try client.request(), now: GNAPClient.now)
        let call = try #require(server.last)
        #expect(call.method == "POST" && call.url == "https://auth.example/gnap/introspect")
        let body = try JSONNodeReader.read(call.body)
        #expect(body["access_token"]?.text == client.token)
        #expect(body["proof"]?.text == "httpsig")
        #expect(body["resource_server"]?["key"]?["proof"]?.text == "httpsig")
        let jwk = try #require(body["resource_server"]?["key"]?["jwk"])
        #expect(jwk["kid"]?.text == key.keyID && jwk["alg"]?.text == "ES256")
        var fields = Dictionary(uniqueKeysWithValues: call.headers.map { ($0.name.lowercased(), [$0.value]) })
        // The daemon's own verifier wants the token covered; the server's call carries none, so it is checked by hand.
        let input = try #require(SignatureInput(fields["signature-input"]?.first ?? ""))
        #expect(input.components == ["@method", "@target-uri", "content-digest"] && input.keyID == key.keyID)
        fields["content-digest"] = fields["content-digest"] ?? []
        let request = MessageRequest(method: "POST", targetURI: call.url, fields: fields, body: call.body)
        #expect(ContentDigest.fits(fields["content-digest"]?.first ?? "", call.body))
        let text = try #require(fields["signature"]?.first).dropFirst("sig1=".count)
        let signature = try #require(ContentDigest.byteSequence(text))
        let base = try #require(input.base(for: request))
        #expect(try ClientKey(jwk: jwk).verifies(signature, Array(base.utf8)))
    }
}
