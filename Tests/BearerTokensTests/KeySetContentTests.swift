import Encodings
import Foundation
import LibCrypto
import OutboundHTTP
import Synchronization
import TestSupport
import Testing

@testable import BearerTokens

/// What an operator's log is told.
final class Told: Sendable {
    private let kept = Mutex<[String]>([])
    var lines: [String] { kept.withLock { $0 } }
    func add(_ line: String) { kept.withLock { $0.append(line) } }
}

/// Which keys of a set are used, and which of them for a token.
@Suite(.timeLimit(.minutes(10))) struct KeySetContentTests {
    let server = KeyServer()
    let time = TurnedClock()

    func verifier(report: @escaping @Sendable (String) -> Void = { _ in }) throws -> BearerTokenVerifier {
        BearerTokenVerifier(
            BearerTokenSettings(
                keySet: KeySetSettings(
                    url: "https://id.example/jwks", refresh: .seconds(300), staleLimit: .seconds(1800))),
            outbound: server, clock: time.clock, report: report)
    }

    /// RFC 7517 section 5: what cannot be used is passed over.
    @Test func aKeyThatCannotBeUsedSpoilsNoOther() async throws {
        let keys = try IssuerKeys()
        let (good, small) = (keys.edDSA("d1"), String(repeating: "A", count: 43))
        func rsa(_ bits: Int, _ exponent: String = "AQAB") -> String {
            let modulus = [UInt8](repeating: 0xFF, count: bits / 8)
            return #"{"kty":"RSA","kid":"b","n":"\#(Base64.encode(modulus, .url))","e":"\#(exponent)"}"#
        }
        for bad in [
            #"{"kty":"OKP","crv":"Ed25519","kid":"b","x":"\#(small)"}"#, #"{"kty":"OKP","crv":"Ed25519","kid":"b"}"#,
            #"{"kty":"OKP","crv":"X25519","kid":"b","x":"\#(small)"}"#,
            #"{"kty":"OKP","crv":"Ed448","kid":"b","x":"AA"}"#,
            #"{"kty":"EC","crv":"P-256","kid":"b","x":"\#(small)","y":"\#(small)"}"#,
            #"{"kty":"EC","crv":"P-384","kid":"b","x":"AA","y":"AA"}"#, #"{"kty":"EC","crv":"secp256k1","kid":"b"}"#,
            rsa(1024), rsa(2040), rsa(512), rsa(16_384), rsa(2048, "AQ"), rsa(2048, "Ag"), rsa(2048, ""),
            rsa(2048, "!"),
            #"{"kty":"oct","kid":"b","k":"AAAA"}"#, #"{"kty":"RSA","kid":"b","use":"enc","n":"AA","e":"AQAB"}"#,
            #"{"kty":"AKP","alg":"ML-DSA-44","kid":"b","pub":"AA"}"#, #"{"kid":"b"}"#, "{}", "null", "[]", "7", #""x""#,
            #"{"kty":"OKP","kty":"EC","kid":"b"}"#, #"{"kty":7,"kid":["b"]}"#, #"{"kty":"O\u212AP","crv":"Ed25519"}"#,
            #"{"kty":"EC","kid":"\#(String(repeating: "k", count: 1025))"}"#,
            String(repeating: #"{"x":"#, count: 14) + "1" + String(repeating: "}", count: 14), good,
            String(repeating: #"{"x":"#, count: 9_000) + "1" + String(repeating: "}", count: 9_000),
            String(repeating: "[", count: 9_000) + String(repeating: "]", count: 9_000),
            #"{"kid":"\ud800"}"#, #"{"kid":"\udc00\ud800"}"#, #"{"kid":"\ud800\u0041"}"#, #"{"\ud83d":1}"#,
            #"{"kid":"\x"}"#, #"{"kid":"\u12"}"#, #"{"kid":"a\"]}"}"#, #"{"kid":"a\\"}"#, "{\"kid\":\"a\nb\"}",
            #"{"kid":01}"#, #"{"kid":nul}"#, #"{"kid":'b'}"#, #"{"kid" "b"}"#, #"{"kid":"b",}"#, "NaN", "undefined",
            #"["a",{"b":"]"}]"#, #"{"a":[}"# + #"{]}"#,
        ] {
            for body in [#"{"keys":[\#(bad),\#(good)]}"#, #"{"keys":[\#(good),\#(bad)],"more":[1]}"#] {
                let verifier = try verifier()
                server.answers(200, body)
                let token = try keys.token("EdDSA", kid: "d1")
                #expect(await TokenForge.refusal(token, verifier) == nil, "\(bad.prefix(200))")
                #expect(
                    await TokenForge.refusal(try keys.token("ES256", kid: "b"), verifier) == .signatureInvalid,
                    "\(bad.prefix(200))")
            }
        }
    }

    @Test func bytesThatAreNoTextSpoilNoOtherKey() async throws {
        let keys = try IssuerKeys()
        let good = keys.edDSA("d1")
        for bad: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5], [0xE2, 0x82], [0x00], [0x1F]] {
            for (before, after) in [(#"{"keys":[{"kid":""#, #""},\#(good)]}"#), (#"{"x":""#, #"","keys":[\#(good)]}"#)]
            {
                let verifier = try verifier()
                server.answers(Array(before.utf8) + bad + Array(after.utf8))
                #expect(await TokenForge.refusal(try keys.token("EdDSA", kid: "d1"), verifier) == nil, "\(bad)")
            }
        }
        server.answers([0xEF, 0xBB, 0xBF] + Array(keys.jwks.utf8))
        #expect(await TokenForge.refusal(try keys.token("EdDSA", kid: "d1"), try verifier()) == nil)
    }

    /// Members beside the list are somebody else's (RFC 7517 section 5).
    @Test func whatIsBesideTheListSpoilsNothing() async throws {
        let keys = try IssuerKeys()
        let token = try keys.token("EdDSA", kid: "d1")
        for other in [
            #""\ud800":1"#, #""x":"\ud800""#, #""Keys":[]"#, #""KEYS":7"#, #""x":1,"x":2"#, #""x":{"keys":[]}"#,
            #""x":\#(String(repeating: "[", count: 9_000) + String(repeating: "]", count: 9_000))"#, #""":null"#,
        ] {
            for body in [
                #"{\#(other),"keys":[\#(keys.edDSA("d1"))]}"#, #"{"k\u0065ys":[\#(keys.edDSA("d1"))],\#(other)}"#,
            ] {
                server.answers(200, body)
                #expect(await TokenForge.refusal(token, try verifier()) == nil, "\(other.prefix(80))")
            }
        }
    }

    @Test func keysThatCannotBeUsedTakeNoPlaces() async throws {
        let keys = try IssuerKeys()
        let told = Told()
        func list(_ count: Int, _ key: (Int) -> String) -> String { (0..<count).map(key).joined(separator: ",") }
        let unusable = list(2_000) { #"{"kty":"oct","kid":"x\#($0)","k":"AAAA"}"# }
        let usable = list(KeySet.maximumKeys - 1) { keys.edDSA("d\($0)") }
        let verifier = BearerTokenVerifier(
            BearerTokenSettings(keySet: KeySetSettings(url: "https://id.example/jwks", refresh: .seconds(300))),
            outbound: server, clock: time.clock, report: { told.add($0) })
        server.answers(200, #"{"keys":[\#(unusable),\#(usable),\#(keys.es256("e1")),\#(keys.edDSA("late"))]}"#)
        for (algorithm, kid, expected) in [
            ("EdDSA", "d0", nil), ("EdDSA", "d254", nil), ("ES256", "e1", nil),
            ("EdDSA", "late", BearerTokenError.Code.signatureInvalid),
        ] {
            #expect(await TokenForge.refusal(try keys.token(algorithm, kid: kid), verifier) == expected, "\(kid)")
        }
        #expect(told.lines.count == 1)
        let line = try #require(told.lines.first)
        #expect(line.contains("'x0'") && line.contains("and 1985 more keys") && line.utf8.count < 4_096)
    }

    /// RFC 7515 section 4.1.4: a token need not name its key.
    @Test func aTokenWithoutANameIsTriedAgainstEveryKeyOfItsAlgorithm() async throws {
        let issuers = try (0..<4).map { _ in try IssuerKeys() }
        let stranger = try IssuerKeys()
        let plain = { (key: String) in key.replacing(#""kid":"?","#, with: "") }
        for list in [
            issuers.map { plain($0.es256("?")) }, issuers.enumerated().map { $1.es256("e\($0)") },
            issuers.enumerated().map { $0 % 2 == 0 ? plain($1.es256("?")) : $1.es256("e\($0)") },
        ] {
            let verifier = try verifier()
            server.answers(200, #"{"keys":[\#(list.joined(separator: ",")),\#(stranger.edDSA("d1"))]}"#)
            for issuer in issuers {
                #expect(await TokenForge.refusal(try issuer.token("ES256", kid: nil), verifier) == nil)
                #expect(await TokenForge.refusal(try issuer.token("EdDSA", kid: nil), verifier) == .signatureInvalid)
            }
            #expect(await TokenForge.refusal(try stranger.token("ES256", kid: nil), verifier) == .signatureInvalid)
            #expect(await TokenForge.refusal(try issuers[0].token("ES256", kid: "?"), verifier) == .signatureInvalid)
        }
    }

    @Test func aTokenWithoutANameIsTriedAgainstSixteenKeysAndThoseWithoutANameFirst() async throws {
        let pairs = try (0..<20).map { _ in try SigningKey.generate(.ed25519) }
        func text(_ index: Int, _ kid: String?) -> String {
            let member = kid.map { #""kid":"\#($0)","# } ?? ""
            return #"{"kty":"OKP",\#(member)"crv":"Ed25519","x":"\#(Base64.encode(pairs[index].publicKey, .url))"}"#
        }
        let told = Told()
        let verifier = BearerTokenVerifier(
            BearerTokenSettings(keySet: KeySetSettings(url: "https://id.example/jwks", refresh: .seconds(300))),
            outbound: server, clock: time.clock, report: { told.add($0) })
        let list = (0..<20).map { text($0, $0 < 19 ? "d\($0)" : nil) }
        server.answers(200, #"{"keys":[\#(list.joined(separator: ","))]}"#)
        for index in 0..<20 {
            let token = try TokenForge.token(header: #"{"alg":"EdDSA"}"#) { try pairs[index].sign($0) }
            let isTried = index == 19 || index < KeySet.maximumTries - 1
            #expect(await TokenForge.refusal(token, verifier) == (isTried ? nil : .signatureInvalid), "\(index)")
        }
        #expect(told.lines.first?.contains("16 of the 20 keys for EdDSA") == true)
    }

    @Test func aNewKeyWithoutANameIsFoundSoonAndAskedForSeldom() async throws {
        let (old, new, stranger) = (try IssuerKeys(), try IssuerKeys(), try IssuerKeys())
        let plain = { (key: String) in key.replacing(#""kid":"?","#, with: "") }
        let verifier = try verifier()
        server.answers(200, #"{"keys":[\#(plain(old.edDSA("?")))]}"#)
        #expect(await TokenForge.refusal(try old.token("EdDSA", kid: nil), verifier) == nil)
        server.answers(200, #"{"keys":[\#(plain(new.edDSA("?")))]}"#)
        time.advance(10)
        #expect(await TokenForge.refusal(try new.token("EdDSA", kid: nil), verifier) == nil)
        for _ in 0..<20 {
            #expect(await TokenForge.refusal(try stranger.token("EdDSA", kid: nil), verifier) == .signatureInvalid)
        }
        #expect(server.count == 2)
    }

    @Test func onlyTwoDifferentKeysOfOneNameAndAlgorithmSpoilASet() async throws {
        let (keys, others) = (try IssuerKeys(), try IssuerKeys())
        let token = try keys.token("EdDSA", kid: "d1")
        for (second, expected) in [
            (others.edDSA("d1"), BearerTokenError.Code.keysUnavailable), (others.edDSA("d2"), nil),
            (others.es256("d1"), nil), (keys.edDSA("d2"), nil), (keys.edDSA("d1"), nil),
        ] {
            let verifier = try verifier()
            server.answers(200, #"{"keys":[\#(keys.edDSA("d1")),\#(second)]}"#)
            #expect(await TokenForge.refusal(token, verifier) == expected, "\(second)")
        }
        // Without names nothing is claimed twice; a token without one is then of either.
        let plain = { (keys: IssuerKeys) in keys.edDSA("?").replacing(#""kid":"?","#, with: "") }
        let unnamed = try self.verifier()
        server.answers(200, #"{"keys":[\#(plain(keys)),\#(plain(others)),\#(keys.es256("e1"))]}"#)
        #expect(await TokenForge.refusal(try keys.token("ES256", kid: "e1"), unnamed) == nil)
        #expect(await TokenForge.refusal(try others.token("EdDSA", kid: nil), unnamed) == nil)
        // One key of two names is still one key.
        let doubled = try self.verifier()
        server.answers(200, #"{"keys":[\#(keys.edDSA("d1")),\#(keys.edDSA("d2"))]}"#)
        #expect(await TokenForge.refusal(try keys.token("EdDSA", kid: nil), doubled) == nil)
    }
}
