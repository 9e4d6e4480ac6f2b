import TestSupport
import Testing
import WorkingKeys

/// What `verify` of a keystore does with the bad signatures of Project Wycheproof, for every type that signs.
@Suite(.timeLimit(.minutes(10))) struct WycheproofTests {
    @Test(arguments: [
        ("p256_der", KeyType.ecdsaP256DER), ("p384_der", .ecdsaP384DER), ("p521_der", .ecdsaP521DER),
        ("p256_p1363", .ecdsaP256P1363), ("p384_p1363", .ecdsaP384P1363), ("p521_p1363", .ecdsaP521P1363),
        ("secp256k1_p1363", .ecdsaSecp256k1P1363), ("ed25519", .ed25519),
    ])
    func noBadSignatureIsAccepted(_ name: String, _ type: KeyType) async throws {
        let outcome = try await WycheproofFile(name).outcome(
            key: { group in
                // One version without a prefix and one with: both ways in are tried.
                try? SignatureVerifier(type: type, versions: [(group.keyBytes, nil), (group.keyBytes, 0x0102_0304)])
            },
            verifies: { verifier, signature, message in
                let prefixed = Self.passes(verifier, [1, 1, 2, 3, 4] + signature, message)
                #expect(prefixed == Self.passes(verifier, signature, message))
                return prefixed
            })
        #expect(outcome.isClean, "\(outcome)")
    }

    private static func passes(_ verifier: SignatureVerifier, _ signature: [UInt8], _ message: [UInt8]) -> Bool {
        do throws(WorkingKeyError) {
            try verifier.verify(signature: signature, message: message)
            return true
        } catch {
            #expect(error.code == .verificationFailed)
            return false
        }
    }
}
