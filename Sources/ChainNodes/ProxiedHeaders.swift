public import Decryption
public import LightClient

/// Headers on the word of a light proxy on this machine, which verifies them.
///
/// - Concurrency: an actor.
public actor ProxiedHeaders: VerifiedHeaders {
    public nonisolated let chainID: String
    private let proxy: any HeaderSource
    private let rules: HeaderRules
    private let maximumAge: Int64
    private let now: @Sendable () -> ChainTime
    private let poll: Duration
    private var known: [Int64: VerifiedHeader] = [:]
    private var head: Result<VerifiedHeader, LightClientError> = .failure(
        LightClientError(.unavailable, "the light proxy was not asked yet"))
    /// The latest height that the proxy has said. It never goes back: what was taken back since would hold again.
    private var highest: Int64 = 0
    private var step: Task<LightClientError?, Never>?
    /// When the last step ended.
    private var stepped: ContinuousClock.Instant?
    /// Between two questions while there is no head.
    private static let impatience = Duration.seconds(1)
    /// Between two steps that requests ask for.
    private static let breath = Duration.milliseconds(100)

    public init(
        proxy: any HeaderSource, rules: TrustRules, maximumAge: Int64, poll: Duration,
        now: @escaping @Sendable () -> ChainTime
    ) {
        chainID = rules.chainID
        self.proxy = proxy
        self.rules = HeaderRules(rules)
        self.maximumAge = maximumAge
        self.poll = poll
        self.now = now
    }

    /// Asks for the head until the task is cancelled.
    ///
    /// - Parameters:
    ///   - told: Hears each change: the problem, or nil when headers are served.
    ///   - stepped: Hears what came of each step.
    public func run(
        told: @Sendable (LightClientError?) -> Void, stepped: @Sendable (LightClientError?) async -> Void = { _ in }
    ) async {
        var last: LightClientError?
        var isFirst = true
        while !Task.isCancelled {
            var problem = await refreshOnce()
            if let problem { head = .failure(problem) }
            // An old head is a problem, though the proxy answers.
            if problem == nil, case .failure(let error) = await latest() { problem = error }
            if isFirst || problem?.code != last?.code { told(problem) }
            (isFirst, last) = (false, problem)
            await stepped(problem)
            // Without a head, requests cannot ask for one themselves.
            try? await Task.sleep(for: (try? head.get()) == nil ? min(poll, Self.impatience) : poll)
        }
    }

    public func header(at height: Int64) async throws(LightClientError) -> (header: VerifiedHeader, latest: Int64) {
        var left = step == nil ? 1 : 2
        while left > 0, try isBehind(height) {
            left -= 1
            // As a follower does: whoever names such heights must not make us ask without end.
            if step == nil, let stepped { try? await Task.sleep(until: stepped + Self.breath, clock: .continuous) }
            if let problem = await refreshOnce() { throw problem }
        }
        let latest = try head.get()
        try rules.checkHead(latest.header, now: now())
        guard height <= latest.height else {
            throw LightClientError(.height, "height \(height) is above the proxy's latest height \(latest.height)")
        }
        guard height >= latest.height - maximumAge else {
            throw LightClientError(.height, "height \(height) is more than \(maximumAge) blocks below the latest one")
        }
        return (try await fetched(height), latest.height)
    }

    public func latest() async -> Result<VerifiedHeader, LightClientError> {
        do throws(LightClientError) {
            let header = try head.get()
            try rules.checkHead(header.header, now: now())
            return .success(header)
        } catch { return .failure(error) }
    }

    /// Whether asking again may lead to a height: an old head, too, is one that a newer block ends.
    private func isBehind(_ height: Int64) throws(LightClientError) -> Bool {
        let header = try head.get()
        do throws(LightClientError) { try rules.checkHead(header.header, now: now()) } catch { return true }
        return header.height < height
    }

    /// One question for the head, shared by all who want one now.
    private func refreshOnce() async -> LightClientError? {
        if let step { return await step.value }
        let task = Task {
            var problem: LightClientError?
            do throws(LightClientError) { try await self.refresh() } catch { problem = error }
            // Before anybody who waits goes on, so that none joins a step that has ended.
            step = nil
            stepped = .now
            return problem
        }
        step = task
        return await task.value
    }

    private func refresh() async throws(LightClientError) {
        let height: Int64
        do { height = try await proxy.latestHeight() } catch { throw Self.translate(error) }
        guard height >= highest else {
            throw LightClientError(
                .invalid, "the light proxy's latest height went back from \(highest) to \(height): it has to catch up")
        }
        let header = try await fetched(height)
        highest = height
        head = .success(header)
        known = known.filter { $0.key >= height - maximumAge }
    }

    private func fetched(_ height: Int64) async throws(LightClientError) -> VerifiedHeader {
        if let header = known[height] { return header }
        let block: SignedHeader
        do { block = try await proxy.signedHeader(at: height) } catch { throw Self.translate(error) }
        let header = try VerifiedHeader(proxied: block, height: height, chainID: chainID)
        known[height] = header
        return header
    }

    private static func translate(_ error: any Error) -> LightClientError {
        error as? LightClientError ?? LightClientError(.unavailable, "the light proxy did not answer")
    }
}
