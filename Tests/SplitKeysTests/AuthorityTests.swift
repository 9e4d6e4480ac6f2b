import Encodings
import Foundation
import TestSupport
import Testing
import Token

@testable import SplitKeys

@Suite(.timeLimit(.minutes(10))) struct AuthorityTests {
    @Test func theOfficialKeySignsAsInTheOriginalsTests() async throws {
        let fixture = try SplitFixture()
        try await fixture.authority.setUp(
            try OfficialKey.setup(["allocation_storage_operations"]), caller: fixture.caller())
        let message = try await fixture.authority.cosign(OfficialKey.message())
        #expect(Hexadecimal.encode(message.signature) == OfficialKey.signature)
        let transaction = try await fixture.authority.cosign(OfficialKey.transaction())
        #expect(transaction.signature == message.signature)
    }

    @Test func restrictionsAllowByFunction() async throws {
        let fixture = try SplitFixture()
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: fixture.caller())
        #expect(await code { _ = try await fixture.authority.cosign(OfficialKey.transaction()) } == .notPermitted)
        try await fixture.authority.setRestrictions(
            ["allocation_storage_operations"], client: OfficialKey.clientID,
            key: OfficialKey.bytes(OfficialKey.clientKey), caller: fixture.caller())
        _ = try await fixture.authority.cosign(OfficialKey.transaction())
        for function in ["transfer", "Cancel_allocation", "", nil] {
            let request = OfficialKey.transaction(function: function)
            #expect(await code { _ = try await fixture.authority.cosign(request) } == .notPermitted)
        }
    }

    @Test func unknownKeyAndOtherWallet() async throws {
        let fixture = try SplitFixture()
        #expect(await code { _ = try await fixture.authority.cosign(OfficialKey.message()) } == .notFound)
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: fixture.caller())
        let other = String(repeating: "0", count: 64)
        #expect(await code { _ = try await fixture.authority.cosign(OfficialKey.message(client: other)) } == .notFound)
    }

    @Test func aWrongHalfIsRefusedAndNothingIsReleased() async throws {
        let fixture = try SplitFixture()
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: fixture.caller())
        var request = OfficialKey.message()
        request.share = OfficialKey.bytes(OfficialKey.signature)
        let wrong = request
        #expect(await code { _ = try await fixture.authority.cosign(wrong) } == .shareInvalid)
        request.share[0] ^= 1
        let altered = request
        #expect(
            [.shareInvalid, .invalidArgument].contains(await code { _ = try await fixture.authority.cosign(altered) }))
        request.share = [UInt8](repeating: 0, count: 32)
        let infinity = request
        #expect(await code { _ = try await fixture.authority.cosign(infinity) } == .invalidArgument)
    }

    @Test func aFaultyTokenReleasesNothing() async throws {
        let fixture = try SplitFixture()
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: fixture.caller())
        fixture.anchors.beFaulty(true)
        #expect(await code { _ = try await fixture.authority.cosign(OfficialKey.message()) } == .faulty)
        fixture.anchors.beFaulty(false)
        _ = try await fixture.authority.cosign(OfficialKey.message())
    }

    @Test func aFullAuditChainRefusesSignatures() async throws {
        let fixture = try SplitFixture()
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: fixture.caller())
        fixture.chain.beFull(true)
        #expect(await code { _ = try await fixture.authority.cosign(OfficialKey.message()) } == .storageUnavailable)
        fixture.chain.beFull(false)
        fixture.chain.refuse("older than what the token remembers")
        #expect(await code { _ = try await fixture.authority.cosign(OfficialKey.message()) } == .storageUnavailable)
    }

    @Test func setUpChecksWhatHoldsForOfficialClients() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        var wrongClient = try OfficialKey.setup()
        wrongClient.clientID = String(repeating: "a", count: 64)
        var wrongPeer = try OfficialKey.setup()
        wrongPeer.peerKey = OfficialKey.bytes(OfficialKey.clientKey)
        var short = try OfficialKey.setup()
        short.publicKey = [1, 2, 3]
        var offCurve = try OfficialKey.setup()
        offCurve.clientKey[0] ^= 1
        for setup in [wrongClient, wrongPeer, short, offCurve] {
            #expect(await code { try await fixture.authority.setUp(setup, caller: caller) } == .invalidArgument)
        }
        var other = try OfficialKey.setup()
        other.userID = "bob"
        let others = other
        #expect(await code { try await fixture.authority.setUp(others, caller: caller) } == .forbidden)
        try await fixture.authority.setUp(others, caller: fixture.caller(service: true))
        #expect(await code { try await fixture.authority.setUp(try OfficialKey.setup(), caller: caller) } == .conflict)
    }

    @Test func aCorrectionThatDoesNotAddUpIsRefused() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        let share = try OfficialKey.setup()
        guard case .share(let secret) = share.secret else { return }
        let (scalar, rest) = try SplitSuite.bls0chain.divide(secret)
        let anchor = try await fixture.authority.takeAnchor(
            scalar, suite: .bls0chain, client: OfficialKey.clientID, caller: caller
        ).anchor
        let others = try await fixture.authority.takeAnchor(
            scalar, suite: .bls0chain, client: String(repeating: "a", count: 64), caller: caller
        ).anchor
        let wrongs = [
            (scalar, anchor, SplitKeyError.Code.invalidArgument), (secret, anchor, .invalidArgument),
            (rest, others, .conflict), (rest, "absent", .invalidArgument),
        ]
        for (correction, name, expected) in wrongs {
            var setup = share
            setup.secret = .correction(correction, anchor: name)
            let wrong = setup
            #expect(await code { try await fixture.authority.setUp(wrong, caller: caller) } == expected)
        }
        #expect(await code { _ = try await fixture.authority.cosign(OfficialKey.message()) } == .notFound)
        var right = share
        right.secret = .correction(rest, anchor: anchor)
        try await fixture.authority.setUp(right, caller: caller)
        let signature = try await fixture.authority.cosign(OfficialKey.message()).signature
        #expect(Hexadecimal.encode(signature) == OfficialKey.signature)
    }

    @Test func revocationOutlivesReplayedSetUpsAndOlderRows() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        let key = OfficialKey.bytes(OfficialKey.peerKey)
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: caller)
        _ = try await fixture.authority.cosign(OfficialKey.message())
        let older = try #require(try await fixture.authority.store.share(peer: OfficialKey.peerKey))
        try await fixture.authority.revoke(client: OfficialKey.clientID, peerKey: key, caller: caller)
        try await fixture.authority.revoke(client: OfficialKey.clientID, peerKey: key, caller: caller)
        #expect(await code { _ = try await fixture.authority.cosign(OfficialKey.message()) } == .revoked)
        #expect(await code { try await fixture.authority.setUp(try OfficialKey.setup(), caller: caller) } == .conflict)
        // Yesterday's row comes back.
        try await fixture.authority.store.put(older, anchor: nil)
        #expect(await code { _ = try await fixture.authority.cosign(OfficialKey.message()) } == .revoked)
        // Deleting the wallet and setting it up again starts afresh; the deleted row does not come back to life.
        try await fixture.authority.delete(client: OfficialKey.clientID, caller: caller)
        #expect(
            await code { try await fixture.authority.delete(client: OfficialKey.clientID, caller: caller) } == .notFound
        )
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: caller)
        _ = try await fixture.authority.cosign(OfficialKey.message())
    }

    @Test func expiryCountsFromItsSecond() async throws {
        let fixture = try SplitFixture()
        let now = Int64(fixture.clock.now.timeIntervalSince1970)
        try await fixture.authority.setUp(try OfficialKey.setup(expiresAt: now + 10), caller: fixture.caller())
        fixture.clock.advance(9)
        _ = try await fixture.authority.cosign(OfficialKey.message())
        fixture.clock.advance(1)
        #expect(await code { _ = try await fixture.authority.cosign(OfficialKey.message()) } == .expired)
    }

    @Test func everyColumnThatDecidesIsSealedWithTheShare() async throws {
        var configuration = SplitConfiguration()
        configuration.shareTTL = .zero
        let fixture = try SplitFixture(configuration)
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: fixture.caller())
        let store = fixture.authority.store
        let good = try #require(try await store.share(peer: OfficialKey.peerKey))
        let edits: [(inout ShareRecord) -> Void] = [
            { $0.policy.restrictions = ["allocation_storage_operations"] }, { $0.policy.expiresAt = 1 << 40 },
            { $0.policy.allowsMessages.toggle() }, { $0.policy.verifiesHash.toggle() }, { $0.isForeign.toggle() },
            { $0.nonce += "0" }, { $0.userID = "bob" }, { $0.anchor = nil }, { $0.sealed[20] ^= 1 },
            { $0.publicKey[0] ^= 1 },
        ]
        for edit in edits {
            var row = good
            edit(&row)
            try await store.put(row, anchor: nil)
            let result = await code { _ = try await fixture.authority.cosign(OfficialKey.message()) }
            // A key that signs no bare hashes is told so before its row is opened only if the row says so truly.
            #expect(result == .faulty)
        }
        try await store.put(good, anchor: nil)
        _ = try await fixture.authority.cosign(OfficialKey.message())
    }

    @Test func useIsNotedAndSurvivesReplacement() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        let key = OfficialKey.bytes(OfficialKey.clientKey)
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: caller)
        #expect(try await fixture.authority.lastUsed(client: OfficialKey.clientID, key: key, caller: caller) == 0)
        _ = try await fixture.authority.cosign(OfficialKey.message())
        let used = try await fixture.authority.lastUsed(client: OfficialKey.clientID, key: key, caller: caller)
        #expect(used == Int64(fixture.clock.now.timeIntervalSince1970))
        try await fixture.authority.flush()
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: caller)
        #expect(try await fixture.authority.lastUsed(client: OfficialKey.clientID, key: key, caller: caller) == used)
    }

    @Test func useIsToldWhileItIsWritten() async throws {
        let fixture = try SplitFixture()
        let caller = try fixture.caller()
        let key = OfficialKey.bytes(OfficialKey.clientKey)
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: caller)
        for _ in 0..<20 {
            // As before the first use, but for the use itself, which no row tells yet.
            try await fixture.authority.setUp(try OfficialKey.setup(), caller: caller)
            fixture.clock.advance(1)
            _ = try await fixture.authority.cosign(OfficialKey.message())
            let used = Int64(fixture.clock.now.timeIntervalSince1970)
            async let flushed: Void = fixture.authority.flush()
            for _ in 0..<20 {
                let told = try await fixture.authority.lastUsed(client: OfficialKey.clientID, key: key, caller: caller)
                #expect(told == used)
            }
            try await flushed
        }
    }

    @Test func aKeysRateIsBounded() async throws {
        var configuration = SplitConfiguration()
        configuration.signaturesPerSecond = 2
        let fixture = try SplitFixture(configuration)
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: fixture.caller())
        var refused = 0
        for _ in 0..<20
        where await code({ _ = try await fixture.authority.cosign(OfficialKey.message()) }) == .rateLimited {
            refused += 1
        }
        #expect(refused > 0)
    }

    @Test func theTokensAbsenceIsToldAndHeals() async throws {
        var configuration = SplitConfiguration()
        configuration.shareTTL = .zero
        let fixture = try SplitFixture(configuration)
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: fixture.caller())
        fixture.token.fail(with: HSMError(.tokenUnavailable, "away"))
        #expect(await code { _ = try await fixture.authority.cosign(OfficialKey.message()) } == .tokenUnavailable)
        fixture.token.fail(with: nil)
        _ = try await fixture.authority.cosign(OfficialKey.message())
    }
}
