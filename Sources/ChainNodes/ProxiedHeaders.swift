public import Decryption
public import LightClient

/// Headers on the word of a light proxy on this machine, which verifies them.
///
/// - Concurrency: an actor.
public actor ProxiedHeaders: VerifiedHeaders {
    public nonisolated let chainID: String
    private let proxy: ChainNode
    private let rules: HeaderRules
    private let maximumAge: Int64
    private let now: @Sendable () -> ChainTime
    private let poll: Duration
    private var known: [Int64: VerifiedHeader] = [:]
    private var head: Result<VerifiedHeader, LightClientError> = .failure(
        LightClientError(.unavailable, "the light proxy was not asked yet"))

    public init(
        proxy: ChainNode, rules: TrustRules, maximumAge: Int64, poll: Duration, now: @escaping @Sendable () -> ChainTime
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
            var problem: LightClientError?
            do throws(LightClientError) { try await refresh() } catch {
                problem = error
                head = .failure(error)
            }
            if isFirst || problem?.code != last?.code { told(problem) }
            (isFirst, last) = (false, problem)
            await stepped(problem)
            try? await Task.sleep(for: poll)
        }
    }

    public func header(at height: Int64) async throws(LightClientError) -> (header: VerifiedHeader, latest: Int64) {
        if try head.get().height < height { try await refresh() }
        let latest = try head.get()
        try rules.checkFreshness(of: latest.header, now: now())
        guard height <= latest.height else {
            throw LightClientError(.height, "height \(height) is above the proxy's latest height \(latest.height)")
        }
        guard height >= latest.height - maximumAge else {
            throw LightClientError(.height, "height \(height) is more than \(maximumAge) blocks below the latest one")
        }
        return (try await fetched(height), latest.height)
    }

    public func latest() async -> Result<VerifiedHeader, LightClientError> { head }

    private func refresh() async throws(LightClientError) {
        let height: Int64
        do { height = try await proxy.latestHeight() } catch { throw Self.translate(error) }
        let header = try await fetched(height)
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
