import Encodings
import HSMBridge
import Pairing
import SecretMemory
import TestSupport
import TestTokens
import Testing
import Token

@testable import Anchors

/// A record works for its own identity, on its own token, and as it was written.
@Suite(.timeLimit(.minutes(10))) struct AnchorBindingTests {
    typealias Material = AnchorMaterial

    @Test(arguments: [AnchorSettings.Placement.anchored, .sealed])
    func recordsAreBoundToIdentityValuesAndToken(placement: AnchorSettings.Placement) async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let stranger = try await SoftHSMToken.make().provisioned()
        let settings = AnchorSettings(placement: placement)
        let keeper = TokenAnchorKeeper(token: token, settings: settings)
        let record = try await keeper.take(try Material.scalar(), identity: Material.identity)
        let second = try await keeper.take(try Material.scalar(), identity: Material.identity)
        let message = try Material.message("m")
        // Once before, so that what was opened is at hand.
        _ = try await keeper.multiply(record, message, identity: Material.identity)

        var forged: [(AnchorRecord, RecordIdentity)] = [(record, Material.other)]
        for change: (inout AnchorRecord) -> Void in [
            { $0.blob = second.blob }, { $0.publicKey = second.publicKey }, { $0.point = second.point },
            { $0.mode = $0.mode == .sealed ? .anchored : .sealed }, { $0.blob = [] }, { $0.blob[20] ^= 1 },
            { $0.blob.removeLast() }, { $0.publicKey = [] },
        ] {
            var altered = record
            change(&altered)
            forged.append((altered, Material.identity))
        }
        for (index, (record, identity)) in forged.enumerated() {
            let code = await Material.code { _ = try await keeper.multiply(record, message, identity: identity) }
            #expect(code == .damaged, "case \(index)")
        }
        let elsewhere = TokenAnchorKeeper(token: stranger, settings: settings)
        let code = await Material.code {
            _ = try await elsewhere.multiply(record, message, identity: Material.identity)
        }
        #expect(code == .damaged, "a database copied to another token is of no use")
        _ = try await keeper.multiply(record, message, identity: Material.identity)
        #expect(token.health.isReady)
        await token.shutdown()
        await stranger.shutdown()
    }

    /// Even inside a good seal another anchor's blob does not pass: the product is not the public key's.
    @Test(arguments: [AnchorSettings.Recovery.pairing, .secondProduct])
    func anotherAnchorsBlobIsCaughtByThePublicKey(recovery: AnchorSettings.Recovery) async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let keeper = TokenAnchorKeeper(token: token, settings: AnchorSettings(recovery: recovery))
        let first = try await keeper.take(try Material.scalar(), identity: Material.identity)
        let second = try await keeper.take(try Material.scalar(), identity: Material.identity)
        let (mine, foreign) = (
            try await keeper.open(first, Material.identity), try await keeper.open(second, Material.identity)
        )
        let multiplier = AnchorMultiplier(token: token)
        let message = try Material.message("m")
        let code = await Material.code {
            _ = try await multiplier.multiply(
                message, by: foreign.blob, publicKey: mine.publicKey, point: mine.point, recovery)
        }
        #expect(code == .wrongAnswer)
        await token.shutdown()
    }

    @Test func recordsSurviveARestart() async throws {
        let soft = try SoftHSMToken.make()
        let first = try await soft.provisioned()
        let manifest = try #require(first.manifest)
        let scalar = try Material.scalar()
        var records: [AnchorRecord] = []
        for settings in TokenAnchorTests.ways + [AnchorSettings(placement: .sealed)] {
            let keeper = TokenAnchorKeeper(token: first, settings: settings)
            records.append(try await keeper.take(scalar, identity: Material.identity))
        }
        await first.shutdown()
        let token = PKCS11Token(configuration: soft.configuration(manifest: manifest))
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        let keeper = TokenAnchorKeeper(token: token)
        let message = try Material.message("m")
        for record in records {
            let product = try await keeper.multiply(record, message, identity: Material.identity)
            #expect(try Material.product(scalar, message) == product)
        }
        await token.shutdown()
    }

    @Test func storedFormsAreReadOrRefused() throws {
        let identifier = [UInt8](0..<16)
        let blobs = [
            AnchorBlob(identifier: identifier, storage: .object),
            AnchorBlob(identifier: identifier, storage: .wrapped([UInt8](repeating: 7, count: 296))),
        ]
        #expect(AnchorContext.encode(blobs[0]) == [2] + identifier)
        #expect(AnchorContext.encode(blobs[1]) == [1] + identifier + [UInt8](repeating: 7, count: 296))
        for blob in blobs {
            let encoded = AnchorContext.encode(blob)
            #expect(try AnchorContext.decode(encoded) == blob)
            var mutator = Mutator(seed: 254)
            for _ in 0..<5_000 {
                let changed = mutator.mutate(encoded)
                do throws(AnchorError) {
                    #expect(AnchorContext.encode(try AnchorContext.decode(changed)) == changed)
                } catch {
                    #expect(error.code == .damaged)
                }
            }
        }
    }
}
