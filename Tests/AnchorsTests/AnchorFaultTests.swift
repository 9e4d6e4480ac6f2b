import EnclaveLock
import Foundation
import HSMBridge
import Pairing
import SecretMemory
import TestSupport
import TestTokens
import Testing
import Token

@testable import Anchors

/// Tokens that lie, refuse, or are away.
@Suite(.serialized, .timeLimit(.minutes(10))) struct AnchorFaultTests {
    typealias Material = AnchorMaterial

    /// CKR_MECHANISM_INVALID.
    private static let mechanismInvalid = ReturnValue(rawValue: 0x70)

    private static func move(_ from: URL, _ to: URL) throws { try FileManager.default.moveItem(at: from, to: to) }

    /// As often as a token needs that met a fault while it connected, and connects once more.
    private static func settled<R>(_ body: () async throws -> R) async throws -> R {
        for _ in 0..<200 {
            do { return try await body() } catch { try await Task.sleep(for: .milliseconds(100)) }
        }
        return try await body()
    }

    @Test(arguments: [AnchorSettings.Recovery.pairing, .secondProduct])
    func aFlippedBitIsNeverReleased(recovery: AnchorSettings.Recovery) async throws {
        let faults = FaultPlan()
        let token = try await SoftHSMToken.make().provisioned(faults: faults)
        let keeper = TokenAnchorKeeper(token: token, settings: AnchorSettings(recovery: recovery))
        let scalar = try Material.scalar()
        let record = try await keeper.take(scalar, identity: Material.identity)
        let message = try Material.message("m")
        let occurrences: [FaultPlan.Occurrence] =
            recovery == .pairing ? [.nth(1)] : [.nth(1), .nth(2), .every]
        for bit in [0, 1, 7, 100, 255] {
            for occurrence in occurrences {
                faults.flip(bit: bit, of: "C_DeriveKey", occurrence)
                let code = await Material.code {
                    _ = try await keeper.multiply(record, message, identity: Material.identity)
                }
                #expect(code == .wrongAnswer, "bit \(bit)")
                faults.clear()
                let product = try await keeper.multiply(record, message, identity: Material.identity)
                #expect(try Material.product(scalar, message) == product)
            }
        }
        await token.shutdown()
    }

    @Test func aCeremonyThatCannotBeConfirmedLeavesNothing() async throws {
        let faults = FaultPlan()
        let token = try await SoftHSMToken.make().provisioned(faults: faults)
        let keeper = TokenAnchorKeeper(token: token, settings: AnchorSettings(storage: .object))
        #expect(try await keeper.mode == .anchored)
        for number in 1...3 {
            faults.flip(bit: 3, of: "C_DeriveKey", .nth(number))
            let code = await Material.code {
                _ = try await keeper.take(try Material.scalar(), identity: Material.identity)
            }
            #expect(code == .wrongAnswer)
            faults.clear()
        }
        let objects = try await token.lint().objects
        #expect(!objects.contains { !$0.isManaged })
        await token.shutdown()
    }

    @Test(arguments: ["C_DeriveKey", "C_UnwrapKey", "C_WrapKey", "C_GenerateKeyPair"])
    func aTokenThatCannotSealsInstead(function: String) async throws {
        let faults = FaultPlan()
        let token = try await SoftHSMToken.make().provisioned(faults: faults)
        faults.fail(function, with: Self.mechanismInvalid)
        let keeper = TokenAnchorKeeper(token: token)
        #expect(try await keeper.mode == .sealed)
        #expect(try await keeper.capability().refusal?.code == .mechanismUnsupported)
        // A token that must connect again on a busy machine proves its wrapping key with the same calls.
        faults.clear()
        let scalar = try Material.scalar()
        let record = try await Self.settled { try await keeper.take(scalar, identity: Material.identity) }
        #expect(record.mode == .sealed)
        let message = try Material.message("m")
        let product = try await keeper.multiply(record, message, identity: Material.identity)
        #expect(try product == Material.product(scalar, message))
        faults.fail(function, with: Self.mechanismInvalid)
        let strict = TokenAnchorKeeper(token: token, settings: AnchorSettings(placement: .anchored))
        #expect(await Material.code { _ = try await strict.mode } == .tokenFailed)
        #expect(
            await Material.code { _ = try await strict.take(scalar, identity: Material.identity) } == .tokenFailed)
        await token.shutdown()
    }

    @Test func aTokenThatMultipliesWronglySealsInstead() async throws {
        let faults = FaultPlan()
        let token = try await SoftHSMToken.make().provisioned(faults: faults)
        faults.flip(bit: 5, of: "C_DeriveKey")
        #expect(try await TokenAnchorKeeper(token: token).mode == .sealed)
        await token.shutdown()
    }

    @Test func aTokenThatIsAwayIsAskedAgain() async throws {
        let soft = try SoftHSMToken.make()
        let token = try await soft.provisioned()
        let keeper = TokenAnchorKeeper(token: token)
        let away = SoftHSMToken.tokensDirectory.deletingLastPathComponent()
            .appendingPathComponent("away-" + soft.directory.lastPathComponent)
        try Self.move(soft.directory, away)
        try await eventually("the loss is noticed") { !token.health.isReady }
        #expect(await Material.code { _ = try await keeper.mode } == .tokenFailed)
        try Self.move(away, soft.directory)
        try await token.waitUntilReady(timeout: .seconds(120))
        #expect(try await keeper.mode == .anchored)

        let scalar = try Material.scalar()
        var records: [AnchorRecord] = []
        for settings in TokenAnchorTests.ways + [AnchorSettings(placement: .sealed)] {
            let keeper = TokenAnchorKeeper(token: token, settings: settings)
            records.append(try await keeper.take(scalar, identity: Material.identity))
        }
        let message = try Material.message("m")
        for record in records { _ = try await keeper.multiply(record, message, identity: Material.identity) }
        try Self.move(soft.directory, away)
        try await eventually("the loss is noticed") { !token.health.isReady }
        for record in records {
            let code = await Material.code {
                _ = try await keeper.multiply(record, message, identity: Material.identity)
            }
            #expect(code == .tokenFailed)
        }
        try Self.move(away, soft.directory)
        try await token.waitUntilReady(timeout: .seconds(120))
        for record in records {
            let product = try await keeper.multiply(record, message, identity: Material.identity)
            #expect(try Material.product(scalar, message) == product)
        }
        await token.shutdown()
    }
}
