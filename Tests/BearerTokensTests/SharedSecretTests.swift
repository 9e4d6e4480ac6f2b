import BearerTokens
import Encodings
import LibCrypto
import SecretMemory
import TestSupport
import Testing

/// Tokens signed with a shared secret.
@Suite(.timeLimit(.minutes(10))) struct SharedSecretTests {
    @Test func theVectorOfRFC7515IsAccepted() async throws {
        // RFC 7515 appendix A.1; the header there has line breaks and the claims no user, so the signature is what
        // is checked: the refusal comes from the claims.
        let key = try #require(
            decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"))
        let token =
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
            + ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
            + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        let settings = BearerTokenSettings(secret: SharedSecret(try secret(key)))
        let verifier = BearerTokenVerifier(
            settings, clock: TokenClock(now: { 1_300_819_000 }, elapsed: { .zero }))
        #expect(await TokenForge.refusal(token, verifier) == .claimsRefused)
        let broken = token.replacing("dBjft", with: "dBjfu")
        #expect(await TokenForge.refusal(broken, verifier) == .signatureInvalid)
    }

    private func decode(_ text: String) -> [UInt8]? {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let bits = text.compactMap { alphabet.firstIndex(of: $0) }
            .map { String(repeating: "0", count: 6 - String($0, radix: 2).count) + String($0, radix: 2) }.joined()
        return stride(from: 0, to: bits.count / 8 * 8, by: 8).map { start in
            let from = bits.index(bits.startIndex, offsetBy: start)
            return UInt8(bits[from..<bits.index(from, offsetBy: 8)], radix: 2) ?? 0
        }
    }

    @Test func aGoodTokenTellsItsUser() async throws {
        let identity = try await TokenForge.verifier().verify(try TokenForge.token())
        #expect(identity == BearerIdentity(user: "alice"))
    }

    @Test func withoutUserIDTheSubjectIsTheUser() async throws {
        let token = try TokenForge.token(payload: #"{"sub":"bob","exp":\#(TokenForge.now + 5)}"#)
        #expect(try await TokenForge.verifier().verify(token).user == "bob")
    }

    @Test func theServiceScopeMakesAService() async throws {
        for (scope, isService) in [
            ("kms:service", true), ("openid kms:service", true), ("kms:services", false), ("kms:", false), ("", false),
        ] {
            let token = try TokenForge.token(payload: TokenForge.claims(#","scope":"\#(scope)""#))
            #expect(try await TokenForge.verifier().verify(token).isService == isService, "\(scope)")
        }
        let list = try TokenForge.token(payload: TokenForge.claims(#","scope":["kms:service"]"#))
        #expect(try await TokenForge.verifier().verify(list).isService == false)
    }

    @Test func aWrongSecretIsAnInvalidSignature() async throws {
        let token = try TokenForge.token { try TokenForge.mac($0, [UInt8](1...32)) }
        let error = await #expect(throws: BearerTokenError.self) { try await TokenForge.verifier().verify(token) }
        #expect(error?.code == .signatureInvalid)
        #expect(error?.message.contains("invalid signature") == true)
    }

    @Test func signaturesOfOtherLengthsAreInvalid() async throws {
        let verifier = try TokenForge.verifier()
        for count in [0, 1, 31, 33, 64] {
            let token = try TokenForge.token {
                Array((try TokenForge.mac($0, TokenForge.secretBytes) + $0).prefix(count))
            }
            #expect(await TokenForge.refusal(token, verifier) == .signatureInvalid)
        }
    }

    @Test func issuedTokensAreAccepted() async throws {
        for user in ["alice", "a \"quoted\\ name", "日本", "x\u{e9}"] {
            let token = try BearerTokenIssuer.issue(
                user: user, isService: true, seconds: 60, now: TokenForge.now,
                secret: try secret(TokenForge.secretBytes))
            let identity = try await TokenForge.verifier().verify(token)
            #expect(identity == BearerIdentity(user: ExactText(user), isService: true))
        }
    }

    @Test func usersAreComparedByteForByte() {
        #expect(BearerIdentity(user: "caf\u{e9}") != BearerIdentity(user: "cafe\u{301}"))
        #expect(Set([BearerIdentity(user: "caf\u{e9}"), BearerIdentity(user: "cafe\u{301}")]).count == 2)
    }
}
