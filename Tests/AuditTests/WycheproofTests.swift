import LibCrypto
import TestSupport
import Testing

@testable import Audit

/// Bad signatures against checkpoints and receipts.
@Suite(.timeLimit(.minutes(10))) struct WycheproofTests {
    private static func publicKey(_ raw: [UInt8]) throws -> AuditPublicKey {
        try AuditPublicKey(
            subjectPublicKeyInfo: VerificationKey(curve: .p256, publicKey: raw).subjectPublicKeyInfo)
    }

    @Test func noBadSignatureOfTheAuditKeyIsAccepted() async throws {
        let outcome = try await WycheproofFile("p256_p1363").outcome(
            key: { try Self.publicKey($0.keyBytes) }, verifies: { $0.verifies($1, of: $2) })
        #expect(outcome.isClean, "\(outcome)")
    }

    @Test func noForgedReceiptOrCheckpointVerifies() throws {
        let signer = try SigningKey.generate(.p256)
        let key = try Self.publicKey(signer.publicKey)
        var receipt = try Receipt(
            policyHash: [UInt8](repeating: 1, count: 32), restrictions: ["a"], subject: "split:c:k",
            messageHash: [UInt8](repeating: 2, count: 32),
            record: AuditPosition(index: 7, hash: [UInt8](repeating: 3, count: 32)), time: 1_767_225_600_123,
            keyFingerprint: key.fingerprint)
        let signature = try signer.sign(receipt.encoded, encoding: .p1363)
        receipt.signature = signature
        #expect(try Receipt(json: Array(receipt.json.utf8)).verifies(with: key))
        var checkpoint = AuditCheckpoint(
            position: AuditPosition(index: 9, hash: [UInt8](repeating: 1, count: 32)), time: 1, token: "t",
            publicKey: key.subjectPublicKeyInfo, signature: [])
        checkpoint.signature = try signer.sign(checkpoint.encoded, encoding: .p1363)
        #expect(checkpoint.verifies(pinned: key.fingerprint))
        for forged in SignatureForgeries.p256(signature) {
            receipt.signature = forged
            // As `kmsd receipt verify` reads it.
            if let read = try? Receipt(json: Array(receipt.json.utf8)) { #expect(!read.verifies(with: key)) }
        }
        for forged in SignatureForgeries.p256(checkpoint.signature) {
            checkpoint.signature = forged
            #expect(!checkpoint.verifies(pinned: key.fingerprint))
        }
    }
}
