import TestSupport
import TestTokens
import Testing
import Token

@testable import HSMBridge

/// How a pair is known to be the one that was provisioned: by a signature that is checked outside the token.
@Suite(.timeLimit(.minutes(10))) struct PairProofTests {
    /// Not every token takes a public key that is handed to it, and an installation must not need one that does.
    @Test func aTokenThatTakesNoPublicKeyServes() async throws {
        let soft = try SoftHSMToken.make()
        let first = try await soft.provisioned()
        let manifest = try #require(first.manifest)
        await first.shutdown()
        let faults = FaultPlan()
        faults.fail("C_CreateObject", with: try #require(ReturnValue(name: "CKR_TEMPLATE_INCONSISTENT")))
        let token = PKCS11Token(configuration: soft.configuration(manifest: manifest), faults: faults)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        for role in [KeyRole.audit, .result] {
            let message = role == .result ? ResultMessage([1]).encoded : [1]
            let key = try await token.publicKey(of: role)
            let signature = try await token.sign(message, with: role)
            #expect(try Stranger.verifies(signature, of: message, key.subjectPublicKeyInfo))
        }
        await token.shutdown()
    }

    /// The manifest's public half and fingerprint of a pair that the token does not hold.
    @Test func thePublicHalfOfAnotherPairIsRefused() async throws {
        let soft = try SoftHSMToken.make()
        let first = try await soft.provisioned()
        var manifest = try #require(first.manifest)
        await first.shutdown()
        let other = try await SoftHSMToken.make().provisioned()
        let strange = try #require(other.manifest?[.audit])
        await other.shutdown()
        manifest[.audit]?.publicKey = strange.publicKey
        manifest[.audit]?.fingerprint = strange.fingerprint
        let token = PKCS11Token(configuration: soft.configuration(manifest: manifest))
        token.start()
        try await eventually("the strange half is noticed") { token.health.error != nil }
        #expect(token.health.error?.code == .keyMismatch, "\(token.health)")
        await token.shutdown()
    }
}
