import HSMBridge
import Pairing
import SecretMemory
import TestSupport
import TestTokens
import Testing
import Token

@testable import Anchors

@Suite(.timeLimit(.minutes(10))) struct TokenAnchorTests {
    typealias Material = AnchorMaterial

    static let ways: [AnchorSettings] = AnchorSettings.Storage.allCases.flatMap { storage in
        [AnchorSettings.Recovery.pairing, .secondProduct].map {
            AnchorSettings(placement: .anchored, storage: storage, recovery: $0)
        }
    }

    @Test(arguments: ways) func productsAreThoseOfTheScalar(settings: AnchorSettings) async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let keeper = TokenAnchorKeeper(token: token, settings: settings)
        #expect(try await keeper.mode == .anchored)
        for number in 0..<3 {
            let scalar = try Material.scalar()
            let record = try await keeper.take(scalar, identity: Material.identity)
            #expect(record.mode == .anchored)
            let publicKey = try scalar.withUnsafeBytes { try BLS0Chain.publicKey(of: $0) }
            #expect(record.publicKey == publicKey.encoded)
            for text in ["", "a\(number)", "b\(number)"] {
                let message = try Material.message(text)
                let product = try await keeper.multiply(record, message, identity: Material.identity)
                #expect(try Material.product(scalar, message) == product)
            }
            await keeper.forget(record)
            let message = try Material.message("after")
            let product = try await keeper.multiply(record, message, identity: Material.identity)
            #expect(try Material.product(scalar, message) == product)
        }
        await token.shutdown()
    }

    /// The split-key specification's vectors `gen-anchored-00` and `-01`: h and the point 04 ‖ x ‖ y of [h]H(m).
    @Test(arguments: [
        (
            "116ed8c8162d94252176aaac92743b123fcbdee5a7699ae574f0a6ee9c8aab07",
            "1d06795eb8abc659a7f3ca325fb03071d7003ab0d808092e97a2f3fe5f220e1f",
            "0a7aa78f16bd986ddc2c73b7ea4b93c1e56adacaa0198687b9974d9afab3849d"
                + "0be40ef6679b233a8dc9ee4d586f0361807989127bc889a52641f5e47d349e85"
        ),
        (
            "1bd8065069771f7b34748996a08299f23b8e608ac5960c8f2e507832e64520bd",
            "8cd13704bf70d721800215c70424d09e8f19f7c33d80ac33b075b08ac0941e68",
            "070062bc2f640fa816141b5b56f425b0d30dc39fd3d6e35b8686ce1999f30feb"
                + "1bbbcd526892a75ae9e0c2d9121dac1ca45e2861ba7978862c0935469128314f"
        ),
    ]) func aMultiplicationGivesTheKnownAnswers(h: String, message: String, product: String) async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let keeper = TokenAnchorKeeper(token: token)
        let scalar = try Material.scalar(try Material.bytes(h).reversed())
        let record = try await keeper.take(scalar, identity: Material.identity)
        let hashed = try BLS0Chain.HashedMessage(try Material.bytes(message))
        let found = try await keeper.multiply(record, hashed, identity: Material.identity)
        #expect(try found.uncompressedBigEndian == [4] + Material.bytes(product))
        await token.shutdown()
    }

    @Test func theProbeMeasuresBothWaysAndLeavesNothing() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let capability = try await TokenAnchorKeeper(token: token).capability()
        #expect(capability.canAnchor)
        #expect(try #require(capability.secondProduct) > .zero)
        #expect(try #require(capability.pairing) > .zero)
        #expect(capability.recovery != .automatic)
        let lint = try await token.lint()
        #expect(!lint.objects.contains { !$0.isManaged }, "no object of the probe is left on the token")
        await token.shutdown()
    }

    @Test func fewHandlesServeManyAnchors() async throws {
        let soft = try SoftHSMToken.make()
        var configuration = soft.configuration()
        configuration.residentHandleLimit = 2
        let token = PKCS11Token(configuration: configuration)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        _ = try await token.provision(instance: TokenManifest.makeInstance())
        let keeper = TokenAnchorKeeper(token: token)
        var anchors: [(scalar: SharedSecret, record: AnchorRecord)] = []
        for _ in 0..<8 {
            let scalar = try Material.scalar()
            anchors.append((scalar, try await keeper.take(scalar, identity: Material.identity)))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<24 {
                let (scalar, record) = anchors[index % anchors.count]
                group.addTask {
                    let message = try Material.message("m\(index)")
                    let product = try await keeper.multiply(record, message, identity: Material.identity)
                    #expect(try Material.product(scalar, message) == product)
                }
            }
            try await group.waitForAll()
        }
        await token.shutdown()
    }

    @Test func scalarsOutOfRangeAreRefused() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let order = try Material.bytes("2523648240000001ba344d8000000007ff9f800000000010a10000000000000d")
        let scalars: [[UInt8]] = [[UInt8](repeating: 0, count: 32), order.reversed(), [1], []]
        for bytes in scalars {
            for settings in [AnchorSettings(), AnchorSettings(placement: .sealed)] {
                let keeper = TokenAnchorKeeper(token: token, settings: settings)
                let code = await Material.code {
                    _ = try await keeper.take(try Material.scalar(bytes), identity: Material.identity)
                }
                #expect(code == .internalFailure)
            }
        }
        await token.shutdown()
    }

    @Test func sealedModeMultipliesInThisProcess() async throws {
        let faults = FaultPlan()
        let token = try await SoftHSMToken.make().provisioned(faults: faults)
        let keeper = TokenAnchorKeeper(token: token, settings: AnchorSettings(placement: .sealed))
        #expect(try await keeper.mode == .sealed)
        let scalar = try Material.scalar()
        let record = try await keeper.take(scalar, identity: Material.identity)
        #expect(record.mode == .sealed)
        // The daemon's own checks of the token derive too.
        let before = faults.calls(of: "C_DeriveKey")
        for text in ["", "a", "b"] {
            let message = try Material.message(text)
            let product = try await keeper.multiply(record, message, identity: Material.identity)
            #expect(try Material.product(scalar, message) == product)
        }
        #expect(faults.calls(of: "C_DeriveKey") == before)
        await token.shutdown()
    }
}
