import BearerTokens
import Testing

/// Claims of tokens whose signature is right.
@Suite struct ClaimTests {
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
        #"{"sub":"a","exp":1900000000.5}"#, #"{"sub":"a","exp":1.9e9}"#, #"{"sub":"a","exp":-1}"#,
        #"{"sub":"a","exp":true}"#, #"{"sub":"a","exp":[1900000000]}"#, #"{"sub":"a","exp":99999999999999999999}"#,
        #"{"sub":"a","exp":9223372036854775807}"#, #"{"sub":"a","exp":0}"#,
        #"{"sub":"a","exp":1900000000,"nbf":"0"}"#, #"{"sub":"a","exp":1900000000,"iat":1.5}"#,
    ])
    func timesInOtherFormsAreRefused(_ payload: String) async throws {
        #expect(try await refusal(payload) == .claimsRefused)
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
        #""sub":"a\nb""#, #""aud":"x""#, #""user_id":null"#,
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
        // Without a configured audience a token for somebody in particular is for somebody else.
        #expect(try await refusal(payload(#","aud":"kms""#)) == .claimsRefused)
    }
}
