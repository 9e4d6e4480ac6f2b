import LibCrypto
import TestSupport
import Testing

/// Every bad signature of Project Wycheproof on our curves.
@Suite(.timeLimit(.minutes(10))) struct WycheproofTests {
    @Test(arguments: [("p256", SigningCurve.p256), ("p384", .p384), ("p521", .p521), ("secp256k1", .secp256k1)])
    func noBadECDSASignatureIsAccepted(_ name: String, _ curve: SigningCurve) async throws {
        for (form, encoding) in [("der", ECDSASignature.Encoding.der), ("p1363", .p1363)] {
            let outcome = try await WycheproofFile("\(name)_\(form)").outcome(
                key: { try VerificationKey(curve: curve, publicKey: $0.keyBytes) },
                verifies: { try $0.verify($1, message: $2, encoding: encoding) })
            #expect(outcome.isClean, "\(form): \(outcome)")
        }
    }

    @Test func noBadEd25519SignatureIsAccepted() async throws {
        let outcome = try await WycheproofFile("ed25519").outcome(
            key: { try? VerificationKey(curve: .ed25519, publicKey: $0.keyBytes) },
            verifies: { try $0.verify($1, message: $2) })
        #expect(outcome.isClean, "\(outcome)")
    }
}
