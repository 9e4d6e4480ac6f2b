/// Follows a chain by its headers: from a height and hash that the operators vouch for, along the validators' signatures,
/// with witnesses beside the primary source. It serves headers; it opens no connection of its own.
///
/// What is trusted only moves forwards. Once a witness contradicts the primary source, nothing is served any more, after a
/// restart from the ``kept`` state neither, until an operator has said which header is right: ``resolve(keeping:)``.
///
/// - Concurrency: an actor; calls may overlap, each costs its own requests.
public actor LightClient {
    public private(set) var trusted: TrustedState
    /// Why nothing is served. Store it, and raise an alarm.
    public private(set) var conflict: ChainConflict?
    /// What an operator said about a height that is still to come.
    public private(set) var ruling: ChainRuling?
    /// What the witnesses said at the last height that they were asked about.
    public private(set) var reports: [WitnessReport] = []

    private let settings: LightClientSettings
    private let primary: AskedSource
    private let witnesses: Witnesses
    private let now: @Sendable () -> ChainTime
    /// Headers that are linked to a trusted one by hashes, so that the witnesses vouch for them too.
    private var recent: [Int64: VerifiedHeader]

    private var rules: HeaderRules { HeaderRules(settings.rules) }

    /// Store its ``KeptState/encoded()`` to go on from there the next time.
    public var kept: KeptState { KeptState(trusted: trusted, conflict: conflict, ruling: ruling) }

    /// Goes on from a stored state.
    ///
    /// - Parameters:
    ///   - conflict: One that stands: nothing is served.
    ///   - ruling: What an operator said about one before.
    /// - Throws: `.settings` for a state of another chain and for too few witnesses.
    public init(
        _ settings: LightClientSettings, trusted: TrustedState, conflict: ChainConflict? = nil,
        ruling: ChainRuling? = nil, primary: any HeaderSource,
        witnesses: [any HeaderSource], now: @escaping @Sendable () -> ChainTime
    ) throws(LightClientError) {
        guard trusted.header.chainID == settings.rules.chainID else {
            throw .settings("the trusted header is of another chain than the one that is set")
        }
        guard settings.minimumWitnesses...64 ~= witnesses.count else {
            throw .settings("there must be \(settings.minimumWitnesses) to 64 witnesses")
        }
        self.settings = settings
        self.trusted = trusted
        self.conflict = conflict
        self.ruling = ruling
        self.now = now
        self.primary = AskedSource(source: primary, timeout: settings.timeout)
        self.witnesses = Witnesses(
            sources: witnesses.map { AskedSource(source: $0, timeout: settings.timeout) }, settings: settings)
        recent = [trusted.height: VerifiedHeader(header: trusted.header, hash: trusted.hash)]
    }

    /// Fetches the header that the operators vouch for, and its next validators.
    ///
    /// - Parameter hash: 32 bytes.
    /// - Throws: `.invalid` if the source has another header there; `.expired`; whatever the source's failures are.
    public static func start(
        _ settings: LightClientSettings, height: Int64, hash: [UInt8], primary: any HeaderSource,
        now: @Sendable () -> ChainTime
    ) async throws(LightClientError) -> TrustedState {
        guard height >= 1, hash.count == ChainLimits.hashLength else {
            throw .settings("trust starts from a height of 1 or more and a hash of 32 bytes")
        }
        let source = AskedSource(source: primary, timeout: settings.timeout)
        let rules = HeaderRules(settings.rules)
        let block = try await source.signedHeader(at: height)
        let validators = try await source.validators(at: height)
        guard try rules.checkAlone(block, validators: validators) == hash else {
            throw .invalid("\(source.name) has another header at height \(height) than the one that is to be trusted")
        }
        try rules.checkFreshness(of: block.header, now: now())
        let next =
            block.header.nextValidatorsHash == block.header.validatorsHash
            ? validators : try await source.validators(at: height + 1)
        return try TrustedState(header: block.header, nextValidators: next)
    }

    /// Moves on to the latest header that the primary source and enough witnesses have; stays if there is none.
    ///
    /// - Throws: `.conflict` and `.fork`, from then on always; anything else leaves the trusted header where it was.
    @discardableResult
    public func advance() async throws(LightClientError) -> VerifiedHeader {
        try checkServing()
        async let witnessed = witnesses.latestHeightOrError()
        let latest = try await primary.latestHeight()
        return try await advance(to: min(latest, try await witnessed.get()))
    }

    /// As ``advance()``, to a height; does nothing if that is trusted already.
    @discardableResult
    public func advance(to target: Int64) async throws(LightClientError) -> VerifiedHeader {
        try checkServing()
        if let ruling, trusted.height < ruling.height, ruling.height < target { try await advance(to: ruling.height) }
        let start = trusted
        guard target > start.height else { return try latest() }
        let bisection = try Bisection(
            from: start, to: target, rules, isSequential: settings.isSequential,
            maximumHeaders: settings.maximumHeaders)
        let reached = try await primary.follow(bisection, within: settings.patience, now: now)
        if let ruling, ruling.height == target, ruling.hash != reached.hash {
            throw .invalid("\(primary.name) still has the header of height \(target) that an operator gave up")
        }
        let reports = await witnesses.reports(on: reached.hash, at: target, from: start, now: now)
        self.reports = reports
        if let found = try witnesses.conflict(reports, about: reached.hash, at: target) {
            // The first one stands.
            if conflict == nil { conflict = found }
            throw found.error
        }
        try witnesses.requireAgreement(reports, at: target)
        try keep(reached)
        return VerifiedHeader(header: reached.header, hash: reached.hash)
    }

    /// The trusted header of a height, the latest or an older one.
    ///
    /// - Throws: `.height` above the latest trusted one and more than ``LightClientSettings/maximumAge`` below it;
    ///   `.expired`, `.stale`; `.conflict` and `.fork` after they were met; the source's failures on the way back.
    public func header(at height: Int64) async throws(LightClientError) -> VerifiedHeader {
        let newest = try latest()
        guard height <= newest.height else {
            throw LightClientError(.height, "height \(height) is above the latest trusted height \(newest.height)")
        }
        guard height >= max(1, newest.height - settings.maximumAge) else {
            throw LightClientError(
                .height, "height \(height) is more than \(settings.maximumAge) blocks below the latest trusted one")
        }
        let nearest = recent.filter { $0.key >= height }.min { $0.key < $1.key }?.value ?? newest
        // Known, as nearly always: nobody is asked and no clock is set, of which each stays for its whole time in memory.
        guard nearest.height != height else { return nearest }
        let passed = try await primary.follow(BackwardWalk(from: nearest, to: height, rules), within: settings.patience)
        // While this call waited, time went on, and another call may have met a conflict.
        _ = try latest()
        for header in passed { recent[header.height] = header }
        prune()
        return passed.last ?? nearest
    }

    /// The latest trusted header, if it may still be relied on.
    ///
    /// - Throws: `.expired`, `.stale`, `.clock`, `.conflict`, `.fork`.
    public func latest() throws(LightClientError) -> VerifiedHeader {
        try checkServing()
        try rules.checkHead(trusted.header, now: now())
        return VerifiedHeader(header: trusted.header, hash: trusted.hash)
    }

    /// Serves again after a conflict, because an operator has looked into it. What was trusted before still is; at the
    /// conflict's height no other header than the one that he names will be.
    ///
    /// - Throws: `.settings` without a conflict, for a hash that is neither of the two, and for one that cannot follow what is
    ///   trusted.
    public func resolve(keeping hash: [UInt8]) throws(LightClientError) {
        let resolved = try kept.resolved(keeping: hash)
        (conflict, ruling) = (resolved.conflict, resolved.ruling)
    }

    private func checkServing() throws(LightClientError) {
        if let conflict { throw conflict.error }
    }

    private func keep(_ reached: TrustedState) throws(LightClientError) {
        try checkServing()
        if let known = recent[reached.height], known.hash != reached.hash {
            let found = try ChainConflict(
                height: reached.height, followed: known.hash, other: reached.hash, isProven: true,
                source: ChainConflict.name(of: primary.name))
            conflict = found
            throw found.error
        }
        guard reached.height > trusted.height else { return }
        trusted = reached
        if let ruling, ruling.height <= reached.height { self.ruling = nil }
        recent[reached.height] = VerifiedHeader(header: reached.header, hash: reached.hash)
        prune()
    }

    private func prune() {
        let oldest = trusted.height - settings.maximumAge
        recent = recent.filter { $0.key >= oldest }
    }
}

extension Witnesses {
    /// For a child task, whose error would lose its type.
    fileprivate func latestHeightOrError() async -> Result<Int64, LightClientError> {
        do throws(LightClientError) { return .success(try await latestHeight()) } catch { return .failure(error) }
    }
}
