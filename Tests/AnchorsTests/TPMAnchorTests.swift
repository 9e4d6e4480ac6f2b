import Anchors
import Encodings
import Foundation
import Pairing
import SecretMemory
import TPMBridge
import TestSupport
import Testing
import Token

/// Anchors on TPM_ECC_BN_P256 in a software TPM.
@Suite(.timeLimit(.minutes(10))) struct TPMAnchorTests {
    private static let identity = RecordIdentity(
        tenant: "alice", keystore: "wallet", key: "1", type: "split-anchor", version: 1)

    private static func token(_ tpm: SoftTPM, _ manifest: TokenManifest? = nil) -> TPMToken {
        let token = TPMToken(
            configuration: TPMConfiguration(
                address: TPMAddress(.socket(tpm.socket), pinSource: "file:\(tpm.pinFile.path)"),
                pinSource: .file(tpm.pinFile.path), callTimeout: .seconds(20), manifest: manifest))
        token.start()
        return token
    }

    private static func scalar() throws -> SharedSecret {
        SharedSecret(
            try SecretBytes.make(count: 32) { output in
                try BLSBNP256.generateSecretKey(into: output) { target in
                    try SecretBytes.random(count: target.count).withUnsafeBytes { target.copyMemory(from: $0) }
                }
            })
    }

    @Test func multipliesAsTheScalarDoesAlsoAfterARestart() async throws {
        let tpm = try SoftTPM()
        let token = Self.token(tpm)
        try await token.waitUntilReady(timeout: .seconds(120))
        let manifest = try await token.provision(instance: TokenManifest.makeInstance())
        let keeper = TPMAnchorKeeper(token: token)
        // More anchors than a TPM has slots for, in turns with a resident key.
        var anchors: [(SharedSecret, AnchorRecord)] = []
        for _ in 0..<4 {
            let scalar = try Self.scalar()
            anchors.append((scalar, try await keeper.take(scalar, identity: Self.identity)))
        }
        #expect(anchors.allSatisfy { $0.1.mode == .anchored && $0.1.publicKey.count == 65 && $0.1.point.count == 33 })
        let resident = try await token.generateResident(.p256)
        func check(_ keeper: TPMAnchorKeeper, _ token: TPMToken, _ text: String) async throws {
            let message = try BLSBNP256.HashedMessage(Array(text.utf8))
            for (scalar, record) in anchors {
                let product = try await keeper.multiply(record, message, identity: Self.identity)
                #expect(product == (try scalar.withUnsafeBytes { try BLSBNP256.sign(message, secretKey: $0) }))
                let key = BNP256.PreparedPublicKey(try BNP256.G2Point(compressed: record.publicKey))
                #expect(BLSBNP256.verify(product, message: message, publicKey: key))
                _ = try await token.sign(digest: [UInt8](repeating: 1, count: 32), with: resident)
            }
        }
        for round in 0..<2 { try await check(keeper, token, "round \(round)") }
        await keeper.forget(anchors[0].1)
        try await check(keeper, token, "forgotten and loaded again")
        await token.shutdown()

        let again = Self.token(tpm, manifest)
        try await again.waitUntilReady(timeout: .seconds(120))
        try await check(TPMAnchorKeeper(token: again), again, "after a restart")
        await again.shutdown()
    }

    @Test func recordsOpenOnlyAsTheyWereMade() async throws {
        let tpm = try SoftTPM()
        let token = Self.token(tpm)
        try await token.waitUntilReady(timeout: .seconds(120))
        _ = try await token.provision(instance: TokenManifest.makeInstance())
        let keeper = TPMAnchorKeeper(token: token)
        let record = try await keeper.take(try Self.scalar(), identity: Self.identity)
        let other = try await keeper.take(try Self.scalar(), identity: Self.identity)
        let message = try BLSBNP256.HashedMessage([1])
        var altered = record
        altered.blob[altered.blob.count - 1] ^= 1
        var exchanged = record
        exchanged.publicKey = other.publicKey
        var elsewhere = Self.identity
        elsewhere.key = "2"
        for (record, identity) in [(altered, Self.identity), (exchanged, Self.identity), (record, elsewhere)] {
            do throws(AnchorError) {
                _ = try await keeper.multiply(record, message, identity: identity)
                Issue.record("a record that was not made so was used")
            } catch {
                #expect(error.code == .damaged)
            }
        }
        for wrong in [UInt8(0), 255] {
            let scalar = SharedSecret(
                try SecretBytes.make(count: 32) { $0.initializeMemory(as: UInt8.self, repeating: wrong) })
            do throws(AnchorError) {
                _ = try await keeper.take(scalar, identity: Self.identity)
                Issue.record("a scalar out of range was taken")
            } catch {
                #expect(error.code == .internalFailure)
            }
        }
        await token.shutdown()
    }
}
