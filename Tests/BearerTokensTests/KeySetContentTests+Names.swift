import Encodings
import Foundation
import LibCrypto
import OutboundHTTP
import Synchronization
import TestSupport
import Testing

@testable import BearerTokens

extension KeySetContentTests {
    @Test func namesOfKeysAreOpaque() async throws {
        let keys = try IssuerKeys()
        let names = [
            "abc/def+ghi=", "https://id.example/keys/1?v=2#x", "a key", "../../etc/passwd", "' OR 1=1", #"\u0000"#, "",
            "K",
            #"\u212A"#, "caf\u{e9}", "cafe\u{301}", String(repeating: "k", count: 1024), #"C:\\x\""#,
        ]
        server.answers(200, #"{"keys":[\#(names.map { keys.edDSA($0) }.joined(separator: ","))]}"#)
        let verifier = try verifier()
        for name in names {
            #expect(await TokenForge.refusal(try keys.token("EdDSA", kid: name), verifier) == nil, "\(name)")
        }
        let long = String(repeating: "k", count: 1025)
        #expect(await TokenForge.refusal(try keys.token("EdDSA", kid: long), verifier) == .malformed)
    }

    /// Names that differ in the spelling of a letter only are different names.
    @Test func namesOfKeysAreComparedByBytes() async throws {
        let (keys, others) = (try IssuerKeys(), try IssuerKeys())
        server.answers(200, #"{"keys":[\#(keys.edDSA("caf\u{e9}")),\#(others.edDSA("cafe\u{301}"))]}"#)
        let verifier = try verifier()
        #expect(await TokenForge.refusal(try keys.token("EdDSA", kid: "caf\u{e9}"), verifier) == nil)
        #expect(await TokenForge.refusal(try others.token("EdDSA", kid: "cafe\u{301}"), verifier) == nil)
        #expect(await TokenForge.refusal(try keys.token("EdDSA", kid: "cafe\u{301}"), verifier) == .signatureInvalid)
    }

    @Test func whatIsNotUsedIsToldOnceForEachChange() async throws {
        let keys = try IssuerKeys()
        let told = Told()
        let verifier = BearerTokenVerifier(
            BearerTokenSettings(keySet: KeySetSettings(url: "https://id.example/jwks", refresh: .seconds(300))),
            outbound: server, clock: time.clock, report: { told.add($0) })
        let token = try keys.token("EdDSA", kid: "d1")
        for (bad, expected) in [
            (#"{"kty":"oct","kid":"b","k":"AAAA"}"#, 1), (#"{"kty":"oct","kid":"b","k":"AAAA"}"#, 1),
            (keys.es256("e1"), 1),
            (#"{"kty":"RSA","kid":"old\u0007"}"#, 2), (#"{"kty":"RSA","kid":"old\u0007"}"#, 2),
        ] {
            server.answers(200, #"{"keys":[\#(bad),\#(keys.edDSA("d1"))]}"#)
            #expect(await TokenForge.refusal(token, verifier) == nil)
            #expect(told.lines.count == expected)
            time.advance(300)
        }
        #expect(told.lines.first?.contains("key 1 ('b'): it has a secret part") == true)
        #expect(told.lines.allSatisfy { !$0.contains("\u{7}") })
    }

    @Test func keysForOtherUsesAreNotUsed() async throws {
        let keys = try IssuerKeys()
        let plain = keys.edDSA("d1").dropLast()
        for more in [#","use":"enc""#, #","alg":"ES256""#, #","key_ops":["sign"]"#, #","d":"AAAA""#] {
            let verifier = try verifier()
            server.answers(200, #"{"keys":[\#(plain)\#(more)},{"kty":"oct","k":"AAAA","kid":"d1"}]}"#)
            #expect(
                await TokenForge.refusal(try keys.token("EdDSA", kid: "d1"), verifier) == .signatureInvalid, "\(more)")
        }
    }
}
