import Testing

@testable import LightClient

@Suite(.timeLimit(.minutes(10))) struct RecordedChainTests {
    @Test(arguments: [false, true])
    func theWholeChainIsFollowedAndServesTheHashesOfItsProofs(sequential: Bool) async throws {
        let chain = try RecordedChain()
        let settings = try LightClientSettings(rules: chain.rules, isSequential: sequential)
        let now = chain.now
        let start = try await LightClient.start(
            settings, height: chain.height, hash: chain.hash, primary: chain, now: { now })
        let client = try LightClient(settings, trusted: start, primary: chain, witnesses: [chain], now: { now })
        #expect(try await client.advance().height == 6)
        #expect(!chain.appHashes.isEmpty)
        for (height, hash) in chain.appHashes {
            #expect(try await client.header(at: height).appHash == hash)
        }
        for height in Int64(1)...6 {
            let header = try await client.header(at: height)
            #expect(try header.hash == chain.block(height).commit.blockID.hash)
        }
        let stored = try await client.trusted.encoded()
        let again = try LightClient(
            settings, trusted: TrustedState(decoding: stored), primary: chain, witnesses: [chain], now: { now })
        #expect(try await again.advance().height == 6)
    }

    @Test func skippingGoesAsFarAsTheOtherProgramFound() throws {
        let chain = try RecordedChain()
        let rules = HeaderRules(chain.rules)
        let trusted = try TrustedState(header: chain.block(1).header, nextValidators: chain.set(2))
        func direct(_ height: Int64) -> LightClientError.Code? {
            code {
                try rules.stepForward(
                    from: trusted, to: chain.block(height), validators: chain.set(height), now: chain.now)
            }
        }
        #expect(direct(3) == nil)
        #expect(direct(6) == .notEnoughTrust)
    }

    @Test func aWrongTrustOptionStartsNothing() async throws {
        let chain = try RecordedChain()
        let settings = try LightClientSettings(rules: chain.rules)
        let now = chain.now
        func start(_ height: Int64, _ hash: [UInt8], at time: ChainTime) async -> LightClientError.Code? {
            await asyncCode {
                _ = try await LightClient.start(settings, height: height, hash: hash, primary: chain, now: { time })
            }
        }
        #expect(await start(1, chain.hash, at: now) == nil)
        for byte in chain.hash.indices {
            var hash = chain.hash
            hash[byte] ^= 1
            #expect(await start(1, hash, at: now) == .invalid)
        }
        #expect(await start(2, chain.hash, at: now) == .invalid)
        #expect(await start(7, chain.hash, at: now) == .unavailable)
        #expect(await start(0, chain.hash, at: now) == .settings)
        #expect(await start(1, [], at: now) == .settings)
        #expect(await start(1, chain.hash, at: now.advanced(bySeconds: 1_209_600)) == .expired)
        #expect(await start(1, chain.hash, at: now.advanced(bySeconds: -600)) == .clock)
    }
}
