import BearerTokens
import TestSupport
import Testing

/// Tokens whose form or header is an attack (RFC 8725).
@Suite(.timeLimit(.minutes(10))) struct TokenFormTests {
    @Test(arguments: [
        "none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "HS384", "HS512", "RS256", "ES256", "PS256",
    ])
    func otherAlgorithmsAreRefused(_ name: String) async throws {
        let verifier = try TokenForge.verifier()
        let header = #"{"alg":"\#(name)","typ":"JWT"}"#
        #expect(await TokenForge.refusal(try TokenForge.token(header: header), verifier) == .signatureInvalid)
        #expect(
            await TokenForge.refusal(try TokenForge.token(header: header) { _ in [] }, verifier) == .signatureInvalid)
    }

    @Test(arguments: [
        #""jwk":{"kty":"oct","k":"AAAA"}"#, #""jku":"http://127.0.0.1:1/keys""#, #""x5u":"http://127.0.0.1:1/c""#,
        #""x5c":["MIIB"]"#, #""crit":["exp"]"#, #""crit":[]"#, #""b64":false"#, #""zip":"DEF""#, #""jwk":null"#,
        #""kid":7"#, #""kid":null"#, #""kid":["a"]"#, #""typ":"dpop+jwt""#, #""typ":1"#,
        #""alg":"HS256""#, #""alg":"none""#,
    ])
    func membersThatBringKeysOrMeaningsAreRefused(_ member: String) async throws {
        let header = #"{"alg":"HS256",\#(member)}"#
        #expect(await TokenForge.refusal(try TokenForge.token(header: header), try TokenForge.verifier()) == .malformed)
    }

    @Test(arguments: [
        "[]", "null", "\"x\"", "", "{", "{}", #"{"typ":"JWT"}"#, #"{"alg":1}"#, #"{"alg":null}"#, #"{"alg":["HS256"]}"#,
    ])
    func headersWithoutAnAlgorithmAreRefused(_ header: String) async throws {
        #expect(await TokenForge.refusal(try TokenForge.token(header: header), try TokenForge.verifier()) == .malformed)
    }

    @Test func harmlessMembersAreAccepted() async throws {
        let header = #"{"alg":"HS256","typ":"at+jwt","kid":"key-2026.1","x5t":"abc","extra":{"a":[1]}}"#
        #expect(await TokenForge.refusal(try TokenForge.token(header: header), try TokenForge.verifier()) == nil)
    }

    /// A name of a key means nothing but itself (RFC 7515 section 4.1.4).
    @Test(arguments: [
        "../../dev/null", "/dev/null", "a' OR '1'='1", "a\\u0000b", "", "https://id.example/k#1", "a key",
    ])
    func namesOfKeysMeanNothing(_ name: String) async throws {
        let header = #"{"alg":"HS256","kid":"\#(name)"}"#
        #expect(await TokenForge.refusal(try TokenForge.token(header: header), try TokenForge.verifier()) == nil)
    }

    @Test func otherSpellingsOfATokenAreRefused() async throws {
        let good = try TokenForge.token()
        let verifier = try TokenForge.verifier()
        let parts = good.split(separator: ".")
        let wrong = [
            "", ".", "..", "...", good + ".", good + ".x", "." + good, good + "=", good + " ", " " + good, good + "\n",
            parts[0] + "." + parts[1], parts[0] + ".." + parts[2], "Bearer " + good, good.replacing(".", with: ","),
            good + "A", parts[0] + "=." + parts[1] + "." + parts[2],
        ]
        for token in wrong { #expect(await TokenForge.refusal(String(token), verifier) != nil, "\(token)") }
    }

    @Test func longAndDeepTokensAreRefused() async throws {
        let verifier = try TokenForge.verifier()
        let long = try TokenForge.token(
            payload: TokenForge.claims(#","pad":"\#(String(repeating: "a", count: 64 * 1024))""#))
        #expect(await TokenForge.refusal(long, verifier) == .malformed)
        let deep = String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000)
        let nested = try TokenForge.token(payload: TokenForge.claims(#","pad":\#(deep)"#))
        #expect(await TokenForge.refusal(nested, verifier) == .malformed)
        let header = try TokenForge.token(header: #"{"alg":"HS256","pad":\#(deep)}"#)
        #expect(await TokenForge.refusal(header, verifier) == .malformed)
    }

    /// No change of a token is accepted, unless it gives the very same bytes.
    @Test func mutatedTokensAreRefused() async throws {
        let good = try TokenForge.token()
        let verifier = try TokenForge.verifier()
        var mutator = Mutator(seed: 2026)
        for _ in 0..<20_000 {
            let bytes = mutator.mutate(Array(good.utf8))
            let token = String(decoding: bytes, as: UTF8.self)
            guard token != good else { continue }
            #expect(await TokenForge.refusal(token, verifier) != nil, "\(token)")
        }
    }

    /// Readers of claims meet whatever a lawful issuer may sign.
    @Test func mutatedClaimsNeverCrash() async throws {
        let verifier = try TokenForge.verifier()
        var mutator = Mutator(seed: 7)
        var accepted = 0
        for _ in 0..<10_000 {
            let payload = mutator.mutate(Array(TokenForge.claims(#","scope":"kms:service","nbf":1"#).utf8))
            let token = try TokenForge.token(payload: String(decoding: payload, as: UTF8.self))
            if await TokenForge.refusal(token, verifier) == nil { accepted += 1 }
        }
        #expect(accepted > 0)
    }
}
