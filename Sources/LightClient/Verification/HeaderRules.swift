/// The steps from one trusted header to another one. Pure: no clock, no network.
///
/// Source: CometBFT, `light/verifier.go` and its specification of the light client.
public struct HeaderRules: Sendable, Hashable {
    public let rules: TrustRules

    public init(_ rules: TrustRules) { self.rules = rules }

    /// Checks that a trusted header may still be trusted, and that the clock is not behind it.
    ///
    /// - Throws: `.expired`, `.clock`.
    public func checkFreshness(of header: BlockHeader, now: ChainTime) throws(LightClientError) {
        guard header.time.advanced(bySeconds: rules.trustingPeriod) > now else {
            throw LightClientError(
                .expired, "the trusted header of height \(header.height) is older than the trusting period")
        }
        guard header.time <= now.advanced(bySeconds: rules.clockDrift) else {
            throw LightClientError(
                .clock, "this machine's clock is behind the trusted header of height \(header.height)")
        }
    }

    /// Checks that the latest trusted header may be served: that it is trusted still, and says what holds now.
    ///
    /// - Throws: `.stale` beyond the age that the operator allows; as ``checkFreshness(of:now:)``.
    public func checkHead(_ header: BlockHeader, now: ChainTime) throws(LightClientError) {
        try checkFreshness(of: header, now: now)
        guard let age = rules.headAge else { return }
        guard header.time.advanced(bySeconds: age) > now else {
            throw LightClientError(
                .stale,
                "the latest header, of height \(header.height), is more than \(age) seconds old: the chain stands still, or a "
                    + "node keeps back what is newer")
        }
    }

    /// Checks what a header and its commit must be in themselves: form, chain, hash, validators and two thirds of them.
    ///
    /// - Throws: `.malformed`, `.invalid`.
    /// - Returns: The header's hash.
    @discardableResult
    public func checkAlone(
        _ block: SignedHeader, validators: ValidatorSet
    ) throws(LightClientError) -> [UInt8] {
        let hash = try checkForm(block, validators: validators)
        try CommitCheck.ownPower(block.commit, of: validators, chainID: rules.chainID)
        return hash
    }

    /// One step forwards, to the next header or across a gap.
    ///
    /// - Parameters:
    ///   - trusted: Where to step from.
    ///   - block: Where to step to.
    ///   - validators: Of the new header.
    /// - Throws: `.notEnoughTrust` across a gap, if a header between must be looked at first; `.expired` and `.clock` for
    ///   the old header; `.malformed` and `.invalid` for the new one.
    public func stepForward(
        from trusted: TrustedState, to block: SignedHeader, validators: ValidatorSet, now: ChainTime
    ) throws(LightClientError) {
        let (old, new) = (trusted.header, block.header)
        try checkFreshness(of: old, now: now)
        guard new.height > old.height else {
            throw .invalid("height \(new.height) is not above the trusted height \(old.height)")
        }
        guard new.time > old.time else {
            throw .invalid("the time of height \(new.height) is not after that of height \(old.height)")
        }
        guard new.time < now.advanced(bySeconds: rules.clockDrift) else {
            throw .invalid("the time of height \(new.height) is ahead of this machine's clock")
        }
        try checkForm(block, validators: validators)
        if new.height - old.height == 1 {
            guard new.validatorsHash == old.nextValidatorsHash else {
                throw .invalid("the validators of height \(new.height) are not those that the header before it names")
            }
        } else {
            try CommitCheck.trustedPower(
                block.commit, of: trusted.nextValidators, level: rules.trustLevel, chainID: rules.chainID)
        }
        try CommitCheck.ownPower(block.commit, of: validators, chainID: rules.chainID)
    }

    /// One step backwards: a trusted header names the hash of the one before it. Needs neither signatures nor a clock.
    ///
    /// - Throws: `.malformed`, `.invalid`.
    public func stepBack(
        from newer: VerifiedHeader, to older: BlockHeader
    ) throws(LightClientError) -> VerifiedHeader {
        try older.check()
        guard older.chainID == rules.chainID else { throw .invalid("the header is of another chain") }
        guard newer.height - older.height == 1 else {
            throw .invalid("height \(older.height) is not the one before height \(newer.height)")
        }
        guard older.time < newer.time else {
            throw .invalid("the time of height \(older.height) is not before that of height \(newer.height)")
        }
        let hash = try older.hash()
        guard hash == newer.header.lastBlockID.hash else {
            throw .invalid("the header of height \(older.height) is not the one that height \(newer.height) follows")
        }
        return VerifiedHeader(header: older, hash: hash)
    }

    @discardableResult
    private func checkForm(_ block: SignedHeader, validators: ValidatorSet) throws(LightClientError) -> [UInt8] {
        let header = block.header
        try header.check()
        guard header.chainID == rules.chainID else { throw .invalid("the header is of another chain") }
        guard block.commit.height == header.height else { throw .invalid("the commit is of another height") }
        let hash = try header.hash()
        guard block.commit.blockID.hash == hash else { throw .invalid("the commit is for another header") }
        guard validators.hash == header.validatorsHash else {
            throw .invalid("the validators of height \(header.height) are not those that its header names")
        }
        try CommitCheck.places(block.commit, of: validators)
        return hash
    }
}
