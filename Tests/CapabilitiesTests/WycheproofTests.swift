import Encodings
import Foundation
import TestSupport
import Testing

@testable import Capabilities

/// Bad signatures against invocations and proofs of capabilities.
@Suite(.timeLimit(.minutes(10))) struct WycheproofTests {
    private let fixture: CapabilityFixture

    init() throws { fixture = try CapabilityFixture() }

    @Test func noBadSignatureIsValid() async throws {
        let outcome = try await WycheproofFile("ed25519").outcome(
            key: { $0.keyBytes }, verifies: { Ed25519.isValid($1, for: $2, publicKey: $0) })
        #expect(outcome.isClean, "\(outcome)")
    }

    private func passes(_ request: HTTPSignature.Request, _ mode: CapabilityVerifier.Mode) throws -> Bool {
        let root = try fixture.root
        do throws(CapabilityError) {
            _ = try CapabilityVerifier(mode: mode).verify(
                request, body: [], action: "sign", root: root, now: CapabilityFixture.now)
            return true
        } catch {
            #expect(error.code == .unauthorized)
            return false
        }
    }

    @Test(arguments: [CapabilityVerifier.Mode.compatible, .strict])
    func noForgedInvocationIsAccepted(_ mode: CapabilityVerifier.Mode) throws {
        let good = try fixture.request(
            try fixture.root, by: "controller",
            covered: ["(created)", "(request-target)", "host", "capability-invocation"])
        #expect(try passes(good, mode))
        let header = try #require(good.headers["signature"]?.first)
        let signature = try HTTPSignature(header: header).signature
        let text = Data(signature).base64EncodedString()
        for forged in SignatureForgeries.ed25519(signature) {
            var request = good
            request.headers["signature"] = [header.replacing(text, with: Data(forged).base64EncodedString())]
            #expect(try !passes(request, mode), "\(forged)")
        }
    }

    @Test func noForgedProofIsAccepted() throws {
        let child = try fixture.child()
        #expect(try passes(try fixture.request(child, by: "third_party"), .compatible))
        let proof = try #require(child.proof.first)
        let parts = try #require(proof.jws).split(separator: ".", omittingEmptySubsequences: false)
        let signature = try #require(Base64.decode(parts[2], .either))
        for forged in SignatureForgeries.ed25519(signature) {
            var changed = proof
            changed.jws = "\(parts[0]).." + Base64.encode(forged, .url)
            #expect(throws: CapabilityError.self) { try CapabilityProofs.verify(changed, of: child) }
        }
        // And as it comes in, with one forgery of each kind.
        for forged in SignatureForgeries.ed25519(signature).prefix(24) {
            var changed = child
            changed.proof[0].jws = "\(parts[0]).." + Base64.encode(forged, .url)
            #expect(try !passes(try fixture.request(changed, by: "third_party"), .compatible))
        }
    }
}
