import Foundation
import LibCrypto
import TestSupport
import Testing

@testable import GNAP

/// What other servers answer and callers send, mutated; the same seeds give the same mutations.
@Suite(.timeLimit(.minutes(10))) struct GNAPFuzzTests {
    @Test func mutatedIntrospectionsAreReadOrRefused() async throws {
        let client = try GNAPClient()
        let server = AuthorizationServer()
        let verifier = GNAPVerifier(
            server: "https://auth.example", key: try resourceServerKey(), outbound: server, checksSignatures: false,
            cacheSeconds: 0)
        let request = try client.request()
        let good = Array(client.active().utf8)
        var mutator = Mutator(seed: 71)
        var accepted = 0
        for _ in 0..<4_000 {
            let body = String(decoding: mutator.mutate(good), as: UTF8.self)
            server.answers(body)
            do throws(GNAPError) {
                let owner = try await verifier.verify(request, now: GNAPClient.now).caller
                accepted += 1
                // Without a subject the key speaks, which may be a mutated one.
                #expect(owner.hasPrefix("sub:") || owner.hasPrefix("key:") && owner.utf8.count == 47)
                #expect(body.contains("true"))
            } catch {
                #expect(error.code == .tokenRefused || error.code == .introspectionFailed)
            }
        }
        #expect(accepted > 50)
    }

    @Test func mutatedRequestsMeanTheSameOrAreRefused() throws {
        for client in [try GNAPClient(.p256), try GNAPClient(.ed25519)] {
            let key = try ClientKey(jwk: JSONNodeReader.read(Array(client.jwk.utf8)))
            let good = try client.request(parameters: #"created=1800000000;keyid="c";nonce="n""#)
            let meaning = try Self.meaning(good)
            var mutator = Mutator(seed: 72)
            for _ in 0..<5_000 {
                var request = good
                let name = ["signature", "signature-input", "content-digest", "authorization"][mutator.below(4)]
                let value = try #require(good.fields[name]?.first)
                request.fields[name] = [String(decoding: mutator.mutate(Array(value.utf8)), as: UTF8.self)]
                // A verifier of its own, since each signature is accepted once.
                do throws(GNAPError) {
                    _ = try MessageSignatureVerifier(limit: 1_000).verify(
                        request, with: key, of: "key:x", now: GNAPClient.now)
                } catch {
                    #expect(error.code == .signatureRefused)
                    continue
                }
                #expect(try Self.meaning(request) == meaning)
            }
        }
    }

    /// The text that was signed and the signature's bytes.
    private static func meaning(_ request: MessageRequest) throws -> [String] {
        let parameters = try #require(request.single("signature-input"))
        let input = try #require(SignatureInput(parameters))
        let field = try #require(request.single("signature"))
        let signature = try #require(ContentDigest.byteSequence(field.dropFirst("sig1=".count)))
        let base = try #require(input.base(for: request))
        return [base, "\(signature)"]
    }
}
