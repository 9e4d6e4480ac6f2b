import Audit
import Encodings
import Synchronization
import TestSupport
import Testing

@testable import SplitKeys

/// Whoever knows a public key can send halves that are wrong: they must cost the key, the token and the chain nothing.
@Suite(.timeLimit(.minutes(10))) struct WrongHalfTests {
    /// A point of the curve that is no half of the official key's.
    private static func wrong(from address: String = "192.0.2.1") -> CosignRequest {
        var request = OfficialKey.message()
        request.share = OfficialKey.bytes(OfficialKey.signature)
        request.address = address
        return request
    }

    private static func configuration(
        perSecond: Int = 0, wrongPerSecond: Int = 0
    ) -> SplitConfiguration {
        var configuration = SplitConfiguration()
        configuration.signaturesPerSecond = perSecond
        configuration.wrongHalvesPerSecond = wrongPerSecond
        return configuration
    }

    @Test func theyUseUpNothingOfTheKeyAndCallNoToken() async throws {
        let fixture = try SplitFixture(Self.configuration(perSecond: 1))
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: fixture.caller())
        let calls = fixture.token.calls
        let records = fixture.chain.events.count
        for _ in 0..<20 {
            #expect(await code { _ = try await fixture.authority.cosign(Self.wrong()) } == .shareInvalid)
        }
        #expect(fixture.token.calls == calls, "not even the share was opened")
        #expect(fixture.anchors.products.load(ordering: .relaxed) == 0)
        #expect(fixture.chain.events.count == records)
        _ = try await fixture.authority.cosign(OfficialKey.message())
        #expect(fixture.anchors.products.load(ordering: .relaxed) == 1)
    }

    @Test func oneRecordTellsOfAnIntervalsRefusals() async throws {
        let fixture = try SplitFixture(Self.configuration())
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: fixture.caller())
        let before = fixture.chain.events.count
        for number in 0..<30 {
            #expect(
                await code { _ = try await fixture.authority.cosign(Self.wrong(from: "192.0.2.\(number)")) }
                    == .shareInvalid)
            var unknown = OfficialKey.message()
            unknown.peerKey[0] ^= UInt8(number + 1)
            let request = unknown
            #expect(await code { _ = try await fixture.authority.cosign(request) } == .notFound)
        }
        try await fixture.authority.flush()
        #expect(fixture.chain.events.count == before, "the interval is not over")
        fixture.clock.advance(Double(RefusalCounter.interval))
        try await fixture.authority.flush()
        let events = fixture.chain.events.dropFirst(before).sorted { $0.subject < $1.subject }
        #expect(events.map(\.subject) == ["split:\(OfficialKey.peerKey)", "split:unknown"])
        #expect(events.map(\.reason) == ["share-invalid", "not-found"])
        #expect(events.allSatisfy { $0.outcome == .refused && $0.details["count"] == "30" })
        #expect(events.first?.details["address"] == "192.0.2.29")
        // What is left over at the end is told then.
        _ = await code { _ = try await fixture.authority.cosign(Self.wrong()) }
        try await fixture.authority.close()
        #expect(fixture.chain.events.count == before + 3)
    }

    /// A token is no licence to fill the chain: what repeats is told by one record a minute, in either role.
    @Test func refusalsOfKnownUsersThatRepeatAreCounted() async throws {
        let fixture = try SplitFixture(Self.configuration())
        let (alice, bob) = (try fixture.caller(), try fixture.caller("bob"))
        let (client, key) = (String(repeating: "ab", count: 32), [UInt8](repeating: 1, count: 64))
        for _ in 0..<100 {
            #expect(
                await code { try await fixture.vault.share(publicKey: key, to: "carol", caller: alice) } == .notFound)
            #expect(
                await code {
                    try await fixture.authority.setRestrictions(
                        [], client: client, key: key, caller: alice)
                } == .notFound)
        }
        _ = await code { try await fixture.vault.share(publicKey: key, to: "carol", caller: bob) }
        var events = fixture.chain.events
        #expect(events.filter { $0.front == "vault" && $0.actor == "alice" }.count == RefusalCounts.whole)
        #expect(events.filter { $0.front == "auth" && $0.actor == "alice" }.count == RefusalCounts.whole)
        #expect(events.filter { $0.actor == "bob" }.count == 1)
        await fixture.vault.flush()
        #expect(fixture.chain.events.count == events.count, "the minute is not over")
        fixture.clock.advance(Double(RefusalCounts.interval))
        await fixture.vault.flush()
        try await fixture.authority.flush()
        events = Array(fixture.chain.events.dropFirst(events.count))
        #expect(Set(events.map(\.front)) == ["vault", "auth"] && events.count == 2)
        #expect(events.allSatisfy { $0.details["count"] == "\(100 - RefusalCounts.whole)" && $0.actor == "alice" })
        // What is left over at the end is told then.
        for _ in 0...RefusalCounts.whole {
            _ = await code { try await fixture.vault.share(publicKey: key, to: "carol", caller: bob) }
        }
        let count = fixture.chain.events.count
        try await fixture.vault.close()
        #expect(fixture.chain.events.count == count + 1)
    }

    @Test func tooManyAreNotLookedAt() async throws {
        let fixture = try SplitFixture(Self.configuration(wrongPerSecond: 1))
        try await fixture.authority.setUp(try OfficialKey.setup(), caller: fixture.caller())
        var holder = OfficialKey.message()
        holder.address = "198.51.100.7"
        let right = holder
        _ = try await fixture.authority.cosign(right)
        var results: [SplitKeyError.Code?] = []
        for _ in 0..<200 { results.append(await code { _ = try await fixture.authority.cosign(Self.wrong()) }) }
        #expect(results.first == .shareInvalid)
        #expect(results.filter { $0 == .rateLimited }.count > 100)
        #expect(results.allSatisfy { $0 == .shareInvalid || $0 == .rateLimited })
        // The holder, known at another address, goes on.
        _ = try await fixture.authority.cosign(right)
    }

    @Test func bucketsOfKeyAddressAndPair() {
        let start = ContinuousClock.now
        let halves = InvalidShareLimiter(perSecond: 2)
        func admits(_ key: String, _ address: String, after seconds: Int = 0) -> Bool {
            halves.admits(key: key, address: address, now: start + .seconds(seconds))
        }
        halves.countRight(key: "k", address: "home", now: start)
        for _ in 0..<2 { halves.countWrong(key: "k", address: "far", now: start) }
        #expect(!admits("k", "far") && !admits("other", "far"), "the address is used up")
        #expect(admits("k", "elsewhere"), "but not for who sent no wrong half lately")
        #expect(halves.admits(key: "k", address: "far", owner: "zoe", now: start), "nor for the key's owner")
        for number in 0..<2 { halves.countWrong(key: "k", address: "new \(number)", now: start) }
        #expect(!admits("k", "elsewhere"), "of whom some may try")
        for _ in 0..<2 { halves.countWrong(key: "k", address: "far", owner: "zoe", now: start) }
        #expect(!halves.admits(key: "k", address: "home", owner: "zoe", now: start), "his own count for him")
        #expect(halves.admits(key: "k", address: "far", owner: "alice", now: start))
        #expect(admits("other", "elsewhere"))
        #expect(admits("k", "home"), "but not for whom it knows")
        for _ in 0..<2 { halves.countWrong(key: "k", address: "home", now: start) }
        #expect(!admits("k", "home"))
        #expect(admits("other", "home"), "what the known pair does is counted for the pair")
        #expect(admits("k", "far", after: 1) && admits("k", "home", after: 1))
        for number in 0..<4 { halves.countWrong(key: "k", address: "\(number)", now: start + .seconds(2_000)) }
        #expect(!admits("k", "home", after: 2_000), "nobody is known for ever")
    }

    @Test func aFullTableSharesOneBucketAmongNewcomers() {
        let now = ContinuousClock.now
        let limiter = RateLimiter<Int>(perSecond: 3, capacity: 4)
        for name in 0..<4 { #expect(limiter.admit(name, now: now)) }
        for name in 4..<7 { #expect(limiter.hasLeft(name, now: now) && limiter.admit(name, now: now)) }
        #expect(!limiter.hasLeft(8, now: now) && !limiter.admit(9, now: now))
        #expect(limiter.admit(0, now: now), "who has a place keeps it")
        #expect(limiter.admit(10, now: now + .seconds(1)), "full buckets make room")
    }

    @Test func theTallyIsBounded() {
        let tally = RefusalCounter()
        for number in 0..<1_000 {
            tally.count(
                RefusalCounter.Kind(operation: "sign/msg", reason: .shareInvalid, subject: "split:\(number)"),
                address: "192.0.2.1", requestID: "r", at: 100)
        }
        #expect(tally.take(at: 100 + RefusalCounter.interval - 1).isEmpty)
        let counts = tally.take(at: 100 + RefusalCounter.interval)
        #expect(counts.count == RefusalCounter.capacity + 1)
        #expect(counts.values.map(\.count).reduce(0, +) == 1_000)
        let others = counts.first { $0.key.subject == RefusalCounter.others }
        #expect(others?.value.count == 1_000 - RefusalCounter.capacity)
        #expect(tally.take(at: 1_000, isLast: true).isEmpty)
    }
}
