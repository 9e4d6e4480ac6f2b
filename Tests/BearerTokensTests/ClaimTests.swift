import BearerTokens
import Testing

/// Claims of tokens whose signature is right.
@Suite(.timeLimit(.minutes(10))) struct ClaimTests {
    private func refusal(_ payload: String, issuer: String? = nil, audience: String? = nil) async throws
        -> BearerTokenError.Code?
    {
        await TokenForge.refusal(
            try TokenForge.token(payload: payload), try TokenForge.verifier(issuer: issuer, audience: audience))
    }

    private let now = TokenForge.now

    @Test func theSkewIsSixtySeconds() async throws {
        #expect(try await refusal(#"{"sub":"a","exp":\#(now - 59)}"#) == nil)
        #expect(try await refusal(#"{"sub":"a","exp":\#(now - 60)}"#) == .claimsRefused)
        #expect(try await refusal(#"{"sub":"a","exp":\#(now + 9),"nbf":\#(now + 60)}"#) == nil)
        #expect(try await refusal(#"{"sub":"a","exp":\#(now + 9),"nbf":\#(now + 61)}"#) == .claimsRefused)
        #expect(try await refusal(#"{"sub":"a","exp":\#(now + 99),"iat":\#(now + 61)}"#) == .claimsRefused)
    }

    @Test(arguments: [
        #"{"sub":"a"}"#, #"{"sub":"a","exp":null}"#, #"{"sub":"a","exp":"1900000000"}"#, #"{"sub":"a","exp":1e308}"#,
        #"{"sub":"a","exp":1e400}"#, #"{"sub":"a","exp":-0.5}"#, #"{"sub":"a","exp":-1}"#,
        #"{"sub":"a","exp":253402300799.5}"#,
        #"{"sub":"a","exp":true}"#, #"{"sub":"a","exp":[1900000000]}"#, #"{"sub":"a","exp":99999999999999999999}"#,
        #"{"sub":"a","exp":9223372036854775807}"#, #"{"sub":"a","exp":0}"#,
        #"{"sub":"a","exp":1900000000,"nbf":"0"}"#, #"{"sub":"a","exp":1900000000,"iat":1e308}"#,
    ])
    func timesInOtherFormsAreRefused(_ payload: String) async throws {
        #expect(try await refusal(payload) == .claimsRefused)
    }

    /// RFC 7519 section 2: a NumericDate may have a fraction.
    @Test func timesMayHaveFractions() async throws {
        #expect(try await refusal(#"{"sub":"a","exp":\#(now + 9).25,"nbf":\#(now).5,"iat":1.8e9}"#) == nil)
        #expect(try await refusal(#"{"sub":"a","exp":\#(now - 60).5}"#) == nil)
        #expect(try await refusal(#"{"sub":"a","exp":\#(now - 61).999}"#) == .claimsRefused)
        #expect(try await refusal(#"{"sub":"a","exp":\#(now + 9),"nbf":\#(now + 60).001}"#) == .claimsRefused)
        #expect(try await refusal(#"{"sub":"a","exp":\#(now + 9),"iat":1e-400}"#) == nil)
    }

    @Test(arguments: [
        #"{"sub":"a","exp":1,"exp":1900000000}"#, #"{"sub":"a","exp":1900000000,"sub":"b"}"#,
        #"{"user_id":"a","exp":1900000000,"user_id":"b"}"#, "[]", "null", "x",
    ])
    func claimsGivenTwiceAreRefused(_ payload: String) async throws {
        #expect(try await refusal(payload) == .malformed)
    }

    @Test(arguments: [
        #""sub":"""#, #""sub":1"#, #""user_id":5,"sub":"a""#, #""user_id":"","sub":"a""#, #""sub":"a\u0000b""#,
        #""sub":"a\nb""#, #""aud":"x""#, #""user_id":null"#, #""sub":"a\u0085b""#, #""sub":"a\u202Eb""#,
        #""sub":"a\u2066b""#, #""sub":"a\u2028b""#, #""user_id":"a\u007F","sub":"a""#,
    ])
    func usersInOtherFormsAreRefused(_ claim: String) async throws {
        #expect(try await refusal("{\"exp\":\(now + 60),\(claim)}") == .claimsRefused)
    }

    @Test func aLongUserIsRefused() async throws {
        for (count, expected) in [(256, nil), (257, BearerTokenError.Code.claimsRefused)] {
            let user = String(repeating: "u", count: count)
            #expect(try await refusal(#"{"sub":"\#(user)","exp":\#(now + 60)}"#) == expected)
        }
    }

    @Test func issuerAndAudienceArePinned() async throws {
        func payload(_ more: String) -> String { #"{"sub":"a","exp":\#(now + 60)\#(more)}"# }
        for (claims, expected) in [
            (#","iss":"https://id.example","aud":"kms""#, nil),
            (#","iss":"https://id.example","aud":["other","kms"]"#, nil),
            (#","iss":"https://id.example/","aud":"kms""#, BearerTokenError.Code.claimsRefused),
            (#","iss":["https://id.example"],"aud":"kms""#, .claimsRefused),
            (#","aud":"kms""#, .claimsRefused),
            (#","iss":"https://id.example""#, .claimsRefused),
            (#","iss":"https://id.example","aud":[]"#, .claimsRefused),
            (#","iss":"https://id.example","aud":"KMS""#, .claimsRefused),
            (#","iss":"https://id.example","aud":{"kms":1}"#, .claimsRefused),
        ] {
            let found = try await refusal(payload(claims), issuer: "https://id.example", audience: "kms")
            #expect(found == expected, "\(claims)")
        }
        // The same letters in another spelling.
        for (claims, expected) in [
            (#","aud":"caf\u00e9""#, nil), (#","aud":"cafe\u0301""#, BearerTokenError.Code.claimsRefused),
            (#","aud":["cafe\u0301"],"iss":"x""#, .claimsRefused),
        ] {
            #expect(try await refusal(payload(claims), audience: "caf\u{e9}") == expected, "\(claims)")
        }
        // Without a configured audience a token for somebody in particular is for somebody else.
        #expect(try await refusal(payload(#","aud":"kms""#)) == .claimsRefused)
    }

    @Test func usersAndScopesAreComparedByBytes() async throws {
        let verifier = try TokenForge.verifier()
        func identity(_ claims: String) async throws -> BearerIdentity {
            try await verifier.verify(try TokenForge.token(payload: #"{"exp":\#(now + 60),\#(claims)}"#))
        }
        let (composed, decomposed) = (
            try await identity(#""sub":"Zo\u00eb""#), try await identity(#""sub":"Zoe\u0308""#)
        )
        #expect(composed != decomposed && Set([composed, decomposed]).count == 2)
        #expect(try await identity(#""sub":"a","scope":"x kms:service""#).isService)
        for scope in [#"kms:service\u0301"#, #"\u212Ams:service"#, #"kms:service,x"#, "KMS:SERVICE"] {
            #expect(try await !identity(#""sub":"a","scope":"\#(scope)""#).isService, "\(scope)")
        }
        // An accent does not join the space before it.
        #expect(try await identity(#""sub":"a","scope":"kms:service \u0301x""#).isService)
    }
}
