import Encodings
import Foundation
import LibCrypto
import TestSupport
import Testing

@testable import GNAP

/// Bad signatures against the check of HTTP message signatures.
@Suite(.timeLimit(.minutes(10))) struct WycheproofTests {
    @Test func noBadSignatureOfATokensKeyIsAccepted() async throws {
        let ecdsa = try await WycheproofFile("p256_p1363").outcome(
            key: { group in
                let (x, y) = (Base64.encode(group.keyBytes[1...32], .url), Base64.encode(group.keyBytes[33...], .url))
                return try ClientKey(
                    jwk: JSONNodeReader.read(
                        Array(#"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)"}"#.utf8)))
            },
            verifies: { $0.verifies($1, $2) })
        #expect(ecdsa.isClean, "\(ecdsa)")
        let edDSA = try await WycheproofFile("ed25519").outcome(
            key: { group in
                let x = Base64.encode(group.keyBytes, .url)
                return try? ClientKey(
                    jwk: JSONNodeReader.read(
                        Array(#"{"kty":"OKP","crv":"Ed25519","x":"\#(x)"}"#.utf8)))
            },
            verifies: { $0.verifies($1, $2) })
        #expect(edDSA.isClean, "\(edDSA)")
    }

    /// Whole requests, with the neighbours of their own signature.
    @Test func noForgedRequestIsAccepted() async throws {
        for (client, forgeries) in [
            (try GNAPClient(.p256), SignatureForgeries.p256), (try GNAPClient(.ed25519), SignatureForgeries.ed25519),
        ] {
            let server = AuthorizationServer()
            server.answers(client.active())
            let verifier = GNAPVerifier(
                server: "https://auth.example", key: try resourceServerKey(), outbound: server, checksSignatures: true,
                cacheSeconds: 60)
            let good = try client.request()
            let field = try #require(good.fields["signature"]?.first)
            let signature = try #require(ContentDigest.byteSequence(field.dropFirst("sig1=".count)))
            for forged in forgeries(signature) {
                var request = good
                request.fields["signature"] = ["sig1=:\(Data(forged).base64EncodedString()):"]
                let error = await #expect(throws: GNAPError.self) {
                    _ = try await verifier.verify(request, now: GNAPClient.now)
                }
                #expect(error?.code == .signatureRefused)
            }
            #expect(try await verifier.verify(good, now: GNAPClient.now).caller == "sub:alice")
        }
    }
}
