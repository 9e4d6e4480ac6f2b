/// Follows a chain by its headers: from a height and hash that the operators vouch for, along the validators' signatures,
/// with witnesses beside the primary source. It serves headers; it opens no connection of its own.
///
/// What is trusted only moves forwards. Once a witness contradicts the primary source, nothing is served any more until an
/// operator calls ``resume()``.
///
/// - Concurrency: an actor; calls may overlap, each costs its own requests.
public actor LightClient {
    /// Store its ``TrustedState/encoded()`` to start from there the next time.
    public private(set) var trusted: TrustedState
    /// Why nothing is served: a conflict or a fork. Raise an alarm.
    public private(set) var halt: LightClientError?
    /// What the witnesses said at the last height that they were asked about.
    public private(set) var reports: [WitnessReport] = []

    private let settings: LightClientSettings
    private let primary: AskedSource
    private let witnesses: Witnesses
    private let now: @Sendable () -> ChainTime
    /// Headers that are linked to a trusted one by hashes, so that the witnesses vouch for them too.
    private var recent: [Int64: VerifiedHeader]

    private var rules: HeaderRules { HeaderRules(settings.rules) }

    /// Goes on from a stored state.
    ///
    /// - Throws: `.settings` for a state of another chain and for too few witnesses.
    public init(
        _ settings: LightClientSettings, trusted: TrustedState, primary: any HeaderSource,
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
        let start = trusted
        guard target > start.height else { return try latest() }
        let bisection = try Bisection(
            from: start, to: target, rules, isSequential: settings.isSequential,
            maximumHeaders: settings.maximumHeaders)
        let reached = try await primary.follow(bisection, within: settings.patience, now: now)
        let reports = await witnesses.reports(on: reached.hash, at: target, from: start, now: now)
        self.reports = reports
        do throws(LightClientError) { try witnesses.judge(reports, at: target) } catch {
            if error.code == .conflict || error.code == .fork { halt = error }
            throw error
        }
        try keep(reached)
        return VerifiedHeader(header: reached.header, hash: reached.hash)
    }

    /// The trusted header of a height, the latest or an older one.
    ///
    /// - Throws: `.height` above the latest trusted one and more than ``LightClientSettings/maximumAge`` below it;
    ///   `.expired`; `.conflict` and `.fork` after they were met; the source's failures on the way back.
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
        let passed = try await primary.follow(BackwardWalk(from: nearest, to: height, rules), within: settings.patience)
        // While this call waited, time went on, and another call may have met a conflict.
        _ = try latest()
        for header in passed { recent[header.height] = header }
        prune()
        return passed.last ?? nearest
    }

    /// The latest trusted header, if it may still be relied on.
    ///
    /// - Throws: `.expired`, `.clock`, `.conflict`, `.fork`.
    public func latest() throws(LightClientError) -> VerifiedHeader {
        try checkServing()
        try rules.checkFreshness(of: trusted.header, now: now())
        return VerifiedHeader(header: trusted.header, hash: trusted.hash)
    }

    /// Serves again after a conflict, because an operator has looked into it. What was trusted before still is.
    public func resume() { halt = nil }

    private func checkServing() throws(LightClientError) {
        if let halt { throw halt }
    }

    private func keep(_ reached: TrustedState) throws(LightClientError) {
        try checkServing()
        if let known = recent[reached.height], known.hash != reached.hash {
            let error = LightClientError(.fork, "two headers of height \(reached.height) were verified")
            halt = error
            throw error
        }
        guard reached.height > trusted.height else { return }
        trusted = reached
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
