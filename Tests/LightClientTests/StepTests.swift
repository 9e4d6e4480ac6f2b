import Testing

@testable import LightClient

@Suite(.timeLimit(.minutes(10))) struct StepTests {
    /// Every part of a header is covered by the hash that was signed.
    @Test func aHeaderWithAnyForgedPartIsRefused() throws {
        let chain = try TestChain(3)
        let (rules, trusted) = (try TestChain.rules(), try chain.trusted(1))
        let forgeries: [(String, (inout BlockHeader) -> Void)] = [
            ("block version", { $0.blockVersion = 12 }), ("app version", { $0.appVersion += 1 }),
            ("chain id", { $0.chainID += "x" }), ("empty chain id", { $0.chainID = "" }),
            ("height", { $0.height += 1 }), ("height below", { $0.height = 1 }), ("height 0", { $0.height = 0 }),
            ("negative height", { $0.height = -2 }), ("last height", { $0.height = .max }),
            ("time", { $0.time = TestChain.time(4) }), ("last block", { $0.lastBlockID = .none }),
            ("last commit", { $0.lastCommitHash[31] ^= 1 }), ("no last commit", { $0.lastCommitHash = [] }),
            ("data", { $0.dataHash[0] ^= 0x80 }), ("validators", { $0.validatorsHash[0] ^= 1 }),
            ("no validators", { $0.validatorsHash = [] }), ("next validators", { $0.nextValidatorsHash[0] ^= 1 }),
            ("no next validators", { $0.nextValidatorsHash = [] }), ("consensus", { $0.consensusHash[5] ^= 1 }),
            ("application", { $0.appHash[0] ^= 1 }), ("no application", { $0.appHash = [] }),
            ("long application", { $0.appHash = [UInt8](repeating: 0, count: 65) }),
            ("results", { $0.lastResultsHash = TestChain.filler(1) }), ("evidence", { $0.evidenceHash.removeLast() }),
            ("proposer", { $0.proposerAddress[19] ^= 1 }), ("short proposer", { $0.proposerAddress.removeLast() }),
        ]
        for height in 2...3 {
            let block = chain[height]
            try rules.stepForward(from: trusted, to: block, validators: chain.set(height), now: chain.now)
            for (name, forge) in forgeries {
                var header = block.header
                forge(&header)
                #expect(throws: LightClientError.self, "\(name) of height \(height)") {
                    try rules.stepForward(
                        from: trusted, to: SignedHeader(header: header, commit: block.commit),
                        validators: chain.set(height), now: chain.now)
                }
            }
        }
    }

    @Test func aCommitWithAnyForgedPartIsRefused() throws {
        // Three of three are needed: nothing in the commit is beside the point.
        let chain = try TestChain(2) { _ in [(0, 10), (1, 10), (2, 10)] }
        let (rules, trusted, block) = (try TestChain.rules(), try chain.trusted(1), chain[2])
        let commit = block.commit
        func judge(_ commit: Commit) -> LightClientError.Code? {
            code {
                try rules.stepForward(
                    from: trusted, to: SignedHeader(header: block.header, commit: commit), validators: chain.set(2),
                    now: chain.now)
            }
        }
        func with(
            height: Int64 = 2, round: Int32 = 0, id: BlockID? = nil, _ signatures: [CommitSignature]? = nil
        ) throws -> Commit {
            try Commit(
                height: height, round: round, blockID: id ?? commit.blockID,
                signatures: signatures ?? commit.signatures)
        }
        #expect(judge(commit) == nil)
        #expect(try judge(with(height: 3)) == .invalid)
        #expect(try judge(with(round: 1)) == .invalid)
        let id = commit.blockID
        for forged in [
            try BlockID(hash: TestChain.filler(1), partCount: 1, partsHash: id.partsHash),
            try BlockID(hash: id.hash, partCount: 2, partsHash: id.partsHash),
            try BlockID(hash: id.hash, partCount: 1, partsHash: TestChain.filler(1)),
        ] { #expect(try judge(with(id: forged)) == .invalid) }
        for index in commit.signatures.indices {
            let place = commit.signatures[index]
            func replaced(_ place: CommitSignature) throws -> Commit {
                var places = commit.signatures
                places[index] = place
                return try with(places)
            }
            for byte in 0..<64 {
                var signature = place.signature
                signature[byte] ^= 0x10
                let forged = try CommitSignature(
                    vote: .commit, address: place.address, time: place.time, signature: signature)
                #expect(try judge(replaced(forged)) == .invalid)
            }
            for vote in [CommitSignature.Vote.none, .absent] {
                let cast = vote != .absent
                let forged = try CommitSignature(
                    vote: vote, address: cast ? place.address : [], time: cast ? place.time : .zero,
                    signature: cast ? place.signature : [])
                #expect(try judge(replaced(forged)) == .invalid)
            }
            let later = try CommitSignature(
                vote: .commit, address: place.address, time: place.time.advanced(bySeconds: 1),
                signature: place.signature)
            #expect(try judge(replaced(later)) == .invalid)
            var places = commit.signatures
            places.remove(at: index)
            #expect(try judge(with(places)) == .invalid)
            #expect(try judge(with(commit.signatures + [place])) == .invalid)
            places.insert(commit.signatures[(index + 1) % 3], at: index)
            #expect(try judge(with(places)) == .invalid, "a vote twice, another not at all")
        }
        #expect(try judge(with(commit.signatures.reversed())) == .invalid)
        #expect(code { _ = try with([]) } == .malformed)
        #expect(code { _ = try with(id: BlockID.none) } == .malformed)
    }

    /// A commit in which one trusted vote stands at every place.
    @Test func aVoteCountsOnceHoweverOftenItIsThere() throws {
        let chain = try TestChain(3, members: { height in (height..<height + 4).map { ($0, 10) } })
        let commit = chain[3].commit
        let known = Set(chain.set(2).validators.map(\.address))
        let vote = try #require(commit.signatures.first { known.contains($0.address) })
        let doubled = try Commit(
            height: 3, round: 0, blockID: commit.blockID, signatures: [CommitSignature](repeating: vote, count: 4))
        #expect(
            code {
                try CommitCheck.trustedPower(
                    doubled, of: chain.set(2), level: .oneThird, chainID: TestChain.id)
            } == .invalid)
        #expect(
            code {
                try CommitCheck.ownPower(doubled, of: chain.set(3), chainID: TestChain.id)
            } == .invalid)
    }

    @Test func exactlyTwoThirdsAreTooFew() throws {
        for (signers, expected) in [(2, LightClientError.Code.invalid), (3, nil)] as [(Int, LightClientError.Code?)] {
            let members: TestChain.Members = [(0, 1), (1, 1), (2, 1)]
            let chain = try TestChain(2, members: { _ in members }, signs: { _, key in key < signers })
            #expect(
                code {
                    try TestChain.rules().stepForward(
                        from: chain.trusted(1), to: chain[2], validators: chain.set(2), now: chain.now)
                } == expected)
        }
        let chain = try TestChain(2)
        let nil2 = try TestChain.sign(chain[2].header, chain.set(2), vote: .none)
        #expect(
            code {
                try TestChain.rules().stepForward(
                    from: chain.trusted(1), to: nil2, validators: chain.set(2), now: chain.now)
            } == .invalid, "votes for no block do not count")
    }

    @Test func aSetThatHasChangedByHalfIsTrustedByLevel() throws {
        // At height 4 two of four validators are new ones.
        let chain = try TestChain(4) { height in
            height < 4 ? [(0, 10), (1, 10), (2, 10), (3, 10)] : [(2, 10), (3, 10), (4, 10), (5, 10)]
        }
        func judge(_ level: TrustLevel, validators: Int = 4) -> LightClientError.Code? {
            code {
                try TestChain.rules(level: level).stepForward(
                    from: chain.trusted(1), to: chain[4], validators: chain.set(validators), now: chain.now)
            }
        }
        #expect(judge(.oneThird) == nil)
        #expect(judge(try TrustLevel(numerator: 1, denominator: 2)) == .notEnoughTrust, "half is not more than half")
        #expect(judge(try TrustLevel(numerator: 2, denominator: 3)) == .notEnoughTrust)
        #expect(judge(.oneThird, validators: 3) == .invalid, "the old set is not the header's")
        // The next header's set must be the one that the header before names.
        #expect(
            code {
                try TestChain.rules().stepForward(
                    from: chain.trusted(2), to: chain[4], validators: chain.set(4), now: chain.now)
            } == nil)
        let forged = try TestChain(3) { _ in [(0, 10), (1, 10), (2, 10), (6, 10)] }
        #expect(
            code {
                try TestChain.rules().stepForward(
                    from: chain.trusted(2), to: forged[3], validators: forged.set(3), now: chain.now)
            } == .invalid)
    }

    @Test func timeMovesForwardsAndNeverAheadOfTheClock() throws {
        let chain = try TestChain(3)
        func judge(_ time: ChainTime, now: ChainTime, drift: Int64 = 10, period: Int64 = 3_600) throws
            -> LightClientError.Code?
        {
            var header = chain[3].header
            header.time = time
            let block = try TestChain.sign(header, chain.set(3))
            return code {
                try TestChain.rules(period: period, drift: drift).stepForward(
                    from: chain.trusted(2), to: block, validators: chain.set(3), now: now)
            }
        }
        let old = TestChain.time(2)
        #expect(try judge(TestChain.time(3), now: chain.now) == nil)
        #expect(try judge(old, now: chain.now) == .invalid, "the same time")
        #expect(try judge(TestChain.time(1), now: chain.now) == .invalid, "time going back")
        #expect(try judge(try #require(ChainTime(seconds: old.seconds, nanoseconds: 4)), now: chain.now) == .invalid)
        #expect(try judge(try #require(ChainTime(seconds: old.seconds, nanoseconds: 6)), now: chain.now) == nil)
        #expect(try judge(chain.now.advanced(bySeconds: 10), now: chain.now) == .invalid, "ahead of the clock")
        #expect(try judge(chain.now.advanced(bySeconds: 9), now: chain.now) == nil)
        #expect(try judge(chain.now, now: chain.now, drift: 0) == .invalid)
        #expect(try judge(TestChain.time(3), now: old.advanced(bySeconds: 100), period: 100) == .expired)
        #expect(try judge(TestChain.time(3), now: old.advanced(bySeconds: 99), period: 100) == nil)
        #expect(try judge(TestChain.time(3), now: old.advanced(bySeconds: -11)) == .clock)
        #expect(try judge(.last, now: .last) == .expired)
    }

    @Test func stepsBackFollowTheHashes() throws {
        let (chain, other) = (try TestChain(5), try TestChain(5, salt: { _ in 1 }))
        let rules = try TestChain.rules()
        let newest = try VerifiedHeader(header: chain[5].header, hash: chain[5].header.hash())
        var walk = try BackwardWalk(from: newest, to: 1, rules)
        while let wanted = walk.request {
            var copy = walk
            #expect(code { try copy.take(other[Int(wanted)].header) } == .invalid)
            #expect(code { try copy.take(chain[Int(wanted) + 1].header) } == .invalid)
            try walk.take(chain[Int(wanted)].header)
        }
        #expect(walk.reached.header == chain[1].header)
        #expect(code { try walk.take(chain[1].header) } == .invalid)
        #expect(code { _ = try BackwardWalk(from: newest, to: 6, rules) } == .height)
        #expect(code { _ = try BackwardWalk(from: newest, to: 0, rules) } == .height)
        let foreign = HeaderRules(try TrustRules(chainID: "another"))
        #expect(code { _ = try foreign.stepBack(from: newest, to: chain[4].header) } == .invalid)
    }

    @Test func rulesThatWouldProtectNobodyAreRefused() {
        for body: () throws -> Void in [
            { _ = try TrustRules(chainID: "") }, { _ = try TrustRules(chainID: String(repeating: "x", count: 51)) },
            { _ = try TrustRules(chainID: "x", trustingPeriod: 0) },
            { _ = try TrustRules(chainID: "x", trustingPeriod: .max) },
            { _ = try TrustRules(chainID: "x", clockDrift: -1) },
            { _ = try TrustRules(chainID: "x", clockDrift: 3_601) },
            { _ = try TrustRules(chainID: "x", trustingPeriod: 5, clockDrift: 5) },
            { _ = try TrustRules(chainID: "x", headAge: 0) },
            { _ = try TrustRules(chainID: "x", headAge: .max) },
        ] { #expect(code(body) == .settings) }
    }
}
