import Encodings
import Foundation
import LibCrypto
import OutboundHTTP
import Synchronization
import TestSupport
import Testing

@testable import BearerTokens

/// Tokens verified with the public keys of another server.
@Suite(.timeLimit(.minutes(10))) struct KeySetTests {
    let server = KeyServer()
    let time = TurnedClock()

    private func verifier(secret: Bool = false, _ algorithms: Set<BearerAlgorithm>? = nil) throws -> BearerTokenVerifier
    {
        BearerTokenVerifier(
            BearerTokenSettings(
                secret: secret ? try TokenForge.sharedSecret() : nil,
                keySet: KeySetSettings(
                    url: "https://id.example/jwks", refresh: .seconds(300), staleLimit: .seconds(1800)),
                algorithms: algorithms),
            outbound: server, clock: time.clock)
    }

    @Test func eachAlgorithmIsVerified() async throws {
        let keys = try IssuerKeys()
        server.answers(200, keys.jwks)
        let verifier = try verifier()
        for (algorithm, kid) in [("ES256", "e1"), ("EdDSA", "d1"), ("RS256", "r1")] {
            #expect(try await verifier.verify(try keys.token(algorithm, kid: kid)).user == "alice")
            #expect(try await verifier.verify(try keys.token(algorithm, kid: nil)).user == "alice")
            #expect(await TokenForge.refusal(try keys.token(algorithm, kid: "zz"), verifier) == .signatureInvalid)
            let other = try IssuerKeys().token(algorithm, kid: kid)
            #expect(await TokenForge.refusal(other, verifier) == .signatureInvalid)
        }
        #expect(server.count == 1)
    }

    @Test func aPublicKeyIsNoSecretAndAnAlgorithmNoOther() async throws {
        let keys = try IssuerKeys()
        server.answers(200, keys.jwks)
        let verifier = try verifier(secret: true)
        let pem = try OpenSSLCommand.output(["rsa", "-in", keys.rsa.path, "-pubout"])
        for publicKey in [pem, keys.p256.publicKey, keys.ed25519.publicKey, keys.p256.subjectPublicKeyInfo] {
            for kid in [#","kid":"r1""#, ""] {
                let token = try TokenForge.token(header: #"{"alg":"HS256"\#(kid)}"#) {
                    try TokenForge.mac($0, publicKey)
                }
                #expect(await TokenForge.refusal(token, verifier) == .signatureInvalid)
            }
        }
        // A key's signature under another algorithm's name, and under another key's.
        for (name, kid, signer) in [
            ("ES256", "r1", "RS256"), ("RS256", "e1", "ES256"), ("RS256", "r1", "ES256"), ("EdDSA", "e1", "ES256"),
        ] {
            let token = try TokenForge.token(header: #"{"alg":"\#(name)","kid":"\#(kid)"}"#) { signed in
                signer == "ES256"
                    ? try keys.p256.sign(signed, encoding: .p1363)
                    : try OpenSSLCommand.output(["dgst", "-sha256", "-sign", keys.rsa.path], input: signed)
            }
            #expect(await TokenForge.refusal(token, verifier) == .signatureInvalid)
        }
        #expect(try await verifier.verify(try TokenForge.token()).user == "alice")
    }

    @Test func onlyConfiguredAlgorithmsCount() async throws {
        let keys = try IssuerKeys()
        server.answers(200, keys.jwks)
        let verifier = try verifier(secret: true, [.edDSA])
        #expect(await TokenForge.refusal(try keys.token("EdDSA", kid: "d1"), verifier) == nil)
        #expect(await TokenForge.refusal(try keys.token("ES256", kid: "e1"), verifier) == .signatureInvalid)
        #expect(await TokenForge.refusal(try TokenForge.token(), verifier) == .signatureInvalid)
    }

    @Test func signaturesInOtherFormsAreInvalid() async throws {
        let keys = try IssuerKeys()
        server.answers(200, keys.jwks)
        let verifier = try verifier()
        for change: ([UInt8]) -> [UInt8] in [
            { _ in [] }, { _ in [UInt8](repeating: 0, count: 64) }, { $0 + [0] }, { Array($0.dropLast()) },
            { [0] + $0 }, { Array($0.reversed()) }, { _ in [UInt8](repeating: 0xff, count: 64) },
        ] {
            for algorithm in ["ES256", "EdDSA"] {
                let key = algorithm == "ES256" ? keys.p256 : keys.ed25519
                let token = try TokenForge.token(header: #"{"alg":"\#(algorithm)"}"#) {
                    change(try key.sign($0, encoding: .p1363))
                }
                #expect(await TokenForge.refusal(token, verifier) == .signatureInvalid)
            }
        }
        let der = try TokenForge.token(header: #"{"alg":"ES256"}"#) { try keys.p256.sign($0, encoding: .der) }
        #expect(await TokenForge.refusal(der, verifier) == .signatureInvalid)
    }

    @Test func aRemovedKeyStopsAfterTheRefreshInterval() async throws {
        let keys = try IssuerKeys()
        server.answers(200, keys.jwks)
        let verifier = try verifier()
        let token = try keys.token("ES256", kid: "e1")
        #expect(await TokenForge.refusal(token, verifier) == nil)
        server.answers(200, #"{"keys":[\#(keys.edDSA("d1"))]}"#)
        time.advance(299)
        #expect(await TokenForge.refusal(token, verifier) == nil)
        time.advance(1)
        #expect(await TokenForge.refusal(token, verifier) == .signatureInvalid)
        #expect(await TokenForge.refusal(try keys.token("EdDSA", kid: "d1"), verifier) == nil)
    }

    @Test func aNewKeyIsFoundSoonAndAskedForSeldom() async throws {
        let keys = try IssuerKeys()
        server.answers(200, #"{"keys":[\#(keys.edDSA("d1"))]}"#)
        let verifier = try verifier()
        #expect(await TokenForge.refusal(try keys.token("EdDSA", kid: "d1"), verifier) == nil)
        server.answers(200, keys.jwks)
        time.advance(10)
        #expect(await TokenForge.refusal(try keys.token("ES256", kid: "e1"), verifier) == nil)
        for index in 0..<50 {
            #expect(await TokenForge.refusal(try keys.token("ES256", kid: "x\(index)"), verifier) == .signatureInvalid)
        }
        #expect(server.count == 2)
    }

    @Test func staleKeysServeUntilTheStatedAge() async throws {
        let keys = try IssuerKeys()
        let verifier = try verifier()
        let token = try keys.token("EdDSA", kid: "d1")
        #expect(await TokenForge.refusal(token, verifier) == .keysUnavailable)
        server.answers(200, keys.jwks)
        time.advance(10)
        #expect(await TokenForge.refusal(token, verifier) == nil)
        server.isDown()
        time.advance(1799)
        #expect(await TokenForge.refusal(token, verifier) == nil)
        time.advance(1)
        #expect(await TokenForge.refusal(token, verifier) == .keysUnavailable)
        server.answers(200, keys.jwks)
        time.advance(10)
        #expect(await TokenForge.refusal(token, verifier) == nil)
    }

    @Test func aLyingServerGivesNoKeys() async throws {
        let keys = try IssuerKeys()
        let token = try keys.token("EdDSA", kid: "d1")
        let padding = String(repeating: " ", count: 10 << 20)
        for (status, body) in [
            (301, keys.jwks), (302, keys.jwks), (204, ""), (404, keys.jwks), (500, keys.jwks), (200, ""), (200, "[]"),
            (200, "{}"), (200, #"{"keys":{}}"#), (200, "<html>"), (200, keys.jwks + padding),
            (200, #"{"keys":[],"keys":[\#(keys.edDSA("d1"))]}"#),
            (200, String(repeating: "[", count: 100_000)),
            (200, String(repeating: #"{"x":"#, count: 50_000)), (200, #"{"keys":[\#(keys.edDSA("d1"))]"#),
            (200, #"{"keys":[\#(keys.edDSA("d1"))}"#), (200, #"{"keys":[\#(keys.edDSA("d1")),]}"#),
            (200, #"{"keys":[,\#(keys.edDSA("d1"))]}"#), (200, #"{"keys":[\#(keys.edDSA("d1"))]}}"#),
            (200, #"{"keys":[\#(keys.edDSA("d1"))\#(keys.edDSA("d2"))]}"#), (200, #"{"keys" [\#(keys.edDSA("d1"))]}"#),
            (200, #"{keys:[\#(keys.edDSA("d1"))]}"#), (200, #"{"keys":[\#(keys.edDSA("d1")),{"kid":"b]}"#),
            (200, #"{"keys":[],"k\u0065ys":[\#(keys.edDSA("d1"))]}"#), (200, #"{"Keys":[\#(keys.edDSA("d1"))]}"#),
        ] {
            let verifier = try verifier()
            server.answers(status, body)
            #expect(await TokenForge.refusal(token, verifier) == .keysUnavailable, "\(status) \(body.prefix(60))")
        }
    }

    @Test func mutatedKeySetsAreReadOrRefused() async throws {
        let keys = try IssuerKeys()
        let token = try keys.token("EdDSA", kid: "d1")
        let jwks = Array(keys.jwks.utf8)
        var mutator = Mutator(seed: 4)
        for _ in 0..<1_000 {
            let verifier = try verifier()
            let body = mutator.mutate(jwks)
            server.answers(200, String(decoding: body, as: UTF8.self))
            _ = await TokenForge.refusal(token, verifier)
        }
        server.answers(200, keys.jwks)
        #expect(await TokenForge.refusal(token, try verifier()) == nil)
    }
}
