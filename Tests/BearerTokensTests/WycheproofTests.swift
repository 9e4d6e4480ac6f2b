import Encodings
import Foundation
import TestSupport
import Testing

@testable import BearerTokens

/// Bad signatures against the guard of tokens.
@Suite(.timeLimit(.minutes(10))) struct WycheproofTests {
    @Test func noBadES256SignatureIsAccepted() async throws {
        let outcome = try await WycheproofFile("p256_p1363").outcome(
            key: { group in
                let (x, y) = (Base64.encode(group.keyBytes[1...32], .url), Base64.encode(group.keyBytes[33...], .url))
                return try Self.key(#"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)"}"#)
            },
            verifies: { $0.verifies($1, of: $2) })
        #expect(outcome.isClean, "\(outcome)")
        // RFC 7518 section 3.4: the form is r ‖ s, so no DER signature passes, not even a good one.
        let der = try await WycheproofFile("p256_der").outcome(
            key: { group in
                let (x, y) = (Base64.encode(group.keyBytes[1...32], .url), Base64.encode(group.keyBytes[33...], .url))
                return try Self.key(#"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)"}"#)
            },
            verifies: { $0.verifies($1, of: $2) })
        #expect(der.accepted.isEmpty && der.refused.count == der.good && der.bad > 300, "\(der)")
    }

    @Test func noBadEdDSASignatureIsAccepted() async throws {
        let outcome = try await WycheproofFile("ed25519").outcome(
            key: { try? Self.key(#"{"kty":"OKP","crv":"Ed25519","x":"\#(Base64.encode($0.keyBytes, .url))"}"#) },
            verifies: { $0.verifies($1, of: $2) })
        #expect(outcome.isClean, "\(outcome)")
    }

    @Test func noBadRS256SignatureIsAccepted() async throws {
        let outcome = try await WycheproofFile("rsa2048").outcome(
            key: { group in
                let (n, e) = (Base64.encode(group.keyBytes, .url), Base64.encode(group.exponentBytes, .url))
                return try Self.key(#"{"kty":"RSA","n":"\#(n)","e":"\#(e)"}"#)
            },
            verifies: { $0.verifies($1, of: $2) })
        #expect(outcome.isClean, "\(outcome)")
    }

    private static func key(_ jwk: String) throws -> TokenKey? {
        try TokenKey(try JSONNode(reading: Array(jwk.utf8)))
    }

    /// Whole tokens, as they come in, with the neighbours of their own signature.
    @Test func noForgedTokenIsAccepted() async throws {
        let keys = try IssuerKeys()
        let server = KeyServer()
        server.answers(200, keys.jwks)
        let verifier = BearerTokenVerifier(
            BearerTokenSettings(keySet: KeySetSettings(url: "https://keys.example/jwks")), outbound: server,
            clock: TokenForge.clock)
        for (algorithm, forgeries) in [("ES256", SignatureForgeries.p256), ("EdDSA", SignatureForgeries.ed25519)] {
            let good = try keys.token(algorithm, kid: algorithm == "ES256" ? "e1" : "d1")
            #expect(await TokenForge.refusal(good, verifier) == nil)
            let parts = good.split(separator: ".")
            let signature = try #require(Base64.decode(Array(parts[2].utf8), .url))
            for forged in forgeries(signature) {
                let token = "\(parts[0]).\(parts[1])." + Base64.encode(forged, .url)
                #expect(await TokenForge.refusal(token, verifier) == .signatureInvalid, "\(token)")
            }
        }
    }
}
