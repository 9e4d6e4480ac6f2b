import Capabilities
import Encodings
import Foundation
import LibCrypto
import OutboundHTTP
import Synchronization
import TestSupport
import Testing

@testable import GNAP

@Suite(.timeLimit(.minutes(10))) struct GNAPVerifierTests {
    let server = AuthorizationServer()

    func verifier(
        signatures: Bool = true, cache: Int64 = 0, since: Int64 = .min
    ) throws -> GNAPVerifier {
        GNAPVerifier(
            server: "https://auth.example", key: try resourceServerKey(), outbound: server,
            checksSignatures: signatures, cacheSeconds: cache, earlier: EarlierSignatures(since: since))
    }

    func refusal(_ request: MessageRequest, _ verifier: GNAPVerifier, now: Int64 = GNAPClient.now) async
        -> GNAPError.Code?
    {
        do throws(GNAPError) {
            _ = try await verifier.verify(request, now: now)
            return nil
        } catch { return error.code }
    }

    private static func double(_ name: String, _ request: inout MessageRequest) {
        let values = request.fields[name] ?? []
        request.fields[name] = values + values
    }

    @Test(arguments: [SigningCurve.p256, .ed25519])
    func aSignedRequestIsItsSubjects(_ curve: SigningCurve) async throws {
        let client = try GNAPClient(curve)
        let verifier = try verifier()
        server.answers(client.active())
        #expect(try await verifier.verify(try client.request(), now: GNAPClient.now).caller == "sub:alice")
        #expect(
            try await verifier.verify(try client.request("GET", body: ""), now: GNAPClient.now).caller == "sub:alice")
        let named = curve == .p256 ? "ecdsa-p256-sha256" : "ed25519"
        let full = try client.request(parameters: #"created=1800000000;keyid="c";alg="\#(named)";nonce="x";tag="gnap""#)
        #expect(try await verifier.verify(full, now: GNAPClient.now).caller == "sub:alice")
        server.answers(client.active(subject: nil))
        // Ed25519 signs the same twice, so a client that repeats itself within a second adds a nonce.
        let again = try client.request(parameters: #"created=1800000000;nonce="y""#)
        let owner = try await verifier.verify(again, now: GNAPClient.now).caller
        #expect(owner.hasPrefix("key:") && owner.utf8.count == 47)
    }

    private final class Passed: Sendable { let seconds = Atomic(0) }

    /// Nothing is wrong with such a request, so it is no refusal of the signature.
    @Test func aFullWindowIsNoWrongSignature() async throws {
        let client = try GNAPClient()
        let passed = Passed()
        let verifier = GNAPVerifier(
            server: "https://auth.example", key: try resourceServerKey(), outbound: server, checksSignatures: true,
            cacheSeconds: 0, remembered: 4, elapsed: { .seconds(passed.seconds.load(ordering: .relaxed)) })
        server.answers(client.active())
        // The last quarter is shared with others.
        for _ in 0..<3 { #expect(await refusal(try client.request(), verifier) == nil) }
        let late = try client.request()
        #expect(await refusal(late, verifier) == .exhausted)
        #expect(await refusal(late, verifier) == .exhausted)
        #expect(await refusal(try client.request(sign: false), verifier) == .signatureRefused)
        let later = try client.request(parameters: "created=1800000130")
        #expect(await refusal(later, verifier, now: GNAPClient.now + 130) == .exhausted, "only one clock went on")
        passed.seconds.store(130, ordering: .relaxed)
        #expect(await refusal(later, verifier, now: GNAPClient.now + 130) == nil)
    }

    /// RFC 9635 section 7.3: a proof is told by its name or by an object with it.
    @Test(arguments: [
        (#""httpsig""#, true), (#"{"method":"httpsig"}"#, true),
        (#"{"method":"httpsig","alg":"ecdsa-p256-sha256","content-digest-alg":"sha-256"}"#, true), ("null", true),
        (#""mtls""#, false), (#"{"method":"mtls"}"#, false), ("{}", false), ("7", false), (#"["httpsig"]"#, false),
        (#"{"method":"HTTPSIG"}"#, false), (#""""#, false),
    ])
    func aTokenOfAnotherProofIsRefused(_ proof: String, isAccepted: Bool) async throws {
        let client = try GNAPClient()
        server.answers(client.active().replacing(#""proof":"httpsig""#, with: #""proof":\#(proof)"#))
        #expect(await refusal(try client.request(), try verifier()) == (isAccepted ? nil : .tokenRefused))
    }

    @Test func anotherKeyIsRefused() async throws {
        let (client, thief) = (try GNAPClient(), try GNAPClient())
        let verifier = try verifier()
        server.answers(client.active())
        #expect(await refusal(try thief.request(), verifier) == .signatureRefused)
        #expect(await refusal(try client.request(sign: false), verifier) == .signatureRefused)
    }

    @Test func everyPartOfTheRequestIsProtected() async throws {
        let client = try GNAPClient()
        let verifier = try verifier()
        server.answers(client.active())
        let good = try client.request()
        let changes: [(inout MessageRequest) -> Void] = [
            { $0.method = "PUT" }, { $0.method = "post" }, { $0.targetURI += "x" },
            { $0.targetURI = $0.targetURI.replacing("https", with: "http") }, { $0.body += [0x20] }, { $0.body = [] },
            { $0.fields["authorization"] = ["GNAP other"] }, { $0.fields["content-digest"] = nil },
            { $0.fields["content-digest"] = ["md5=:AAAA:"] }, { $0.fields["content-digest"]? += ["sha-256=:AAAA:"] },
            { $0.fields["signature"] = ["sig1=::"] }, { $0.fields["signature"] = ["sig2=:AAAA:"] },
            { Self.double("signature", &$0) }, { $0.fields["signature-input"] = nil },
            { Self.double("signature-input", &$0) },
            { $0.fields["signature-input"]?[0] += ";nonce=\"1\"" },
            { $0.fields["signature-input"]?[0].replace("1800000000", with: "1800000001") },
        ]
        for (index, change) in changes.enumerated() {
            var request = good
            change(&request)
            #expect(await refusal(request, verifier) == .signatureRefused, "change \(index)")
        }
        #expect(await refusal(good, verifier) == nil)
    }

    @Test(arguments: [
        ["@target-uri", "authorization", "content-digest"], ["@method", "authorization", "content-digest"],
        ["@method", "@target-uri", "content-digest"], ["@method", "@target-uri", "authorization"], [],
    ])
    func aSignatureOverLessIsRefused(_ components: [String]) async throws {
        let client = try GNAPClient()
        server.answers(client.active())
        #expect(await refusal(try client.request(components: components), try verifier()) == .signatureRefused)
    }

    @Test func timesAreChecked() async throws {
        let client = try GNAPClient()
        let verifier = try verifier()
        server.answers(client.active())
        for (parameters, expected) in [
            ("created=1799999940", nil), ("created=1800000060", nil), ("created=1799999939", true),
            ("created=1800000061", true), ("", true), ("created=1800000000;expires=1799999999", true),
            ("created=1800000000;expires=1800000000", nil), ("expires=1800000100", true),
            (#"created="1800000000""#, nil), ("created=1800000000;created=1800000000", true),
            ("created=1800000000.5", true), ("created=-1", true),
        ] {
            let found = await refusal(try client.request(parameters: parameters), verifier)
            #expect(found == (expected == true ? .signatureRefused : nil), "\(parameters)")
        }
    }

    @Test func nothingSignedBeforeTheStartIsAcceptedHere() async throws {
        let client = try GNAPClient()
        let verifier = try verifier(since: 1_800_000_000)
        server.answers(client.active())
        #expect(await refusal(try client.request(parameters: "created=1799999999"), verifier) == .signatureRefused)
        #expect(await refusal(try client.request(parameters: "created=1800000000"), verifier) == nil)
    }

    @Test func aSignatureIsAcceptedOnce() async throws {
        let client = try GNAPClient()
        let verifier = try verifier()
        server.answers(client.active())
        let request = try client.request()
        #expect(await refusal(request, verifier) == nil)
        #expect(await refusal(request, verifier) == .signatureRefused)
        #expect(await refusal(request, verifier, now: GNAPClient.now + 59) == .signatureRefused)
        #expect(await refusal(try client.request(), verifier) == nil)
    }

    /// (r, n - s) is a second ECDSA signature over the same text.
    @Test func theTwinOfASignatureIsAReplay() async throws {
        let order = hex("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551")
        let client = try GNAPClient()
        let verifier = try verifier()
        server.answers(client.active())
        var request = try client.request()
        #expect(await refusal(request, verifier) == nil)
        let text = try #require(request.fields["signature"]?.first).dropFirst("sig1=:".count).dropLast()
        var signature = Array(try #require(Data(base64Encoded: String(text))))
        var borrow = 0
        for index in (0..<32).reversed() {
            let digit = Int(order[index]) - Int(signature[32 + index]) - borrow
            borrow = digit < 0 ? 1 : 0
            signature[32 + index] = UInt8(truncatingIfNeeded: digit)
        }
        request.fields["signature"] = ["sig1=:\(Data(signature).base64EncodedString()):"]
        let base = try #require(SignatureInput(request.fields["signature-input"]?.first ?? "")?.base(for: request))
        #expect(try client.key.verify(signature, message: Array(base.utf8), encoding: .p1363))
        #expect(await refusal(request, verifier) == .signatureRefused)
    }
}
