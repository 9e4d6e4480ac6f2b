public import Decryption
public import LightClient

/// Keeps a light client at the head of its chain, off the path of requests, and serves its headers.
///
/// It starts from the stored trusted state, or from the height and hash that the operators vouch for, as soon as the nodes
/// answer, and writes its state down now and then. A request waits for the network only if its height is above the latest one
/// that is trusted. A conflict is written down at once and outlives the process; ``resolve(keeping:)`` ends it.
///
/// - Concurrency: an actor.
public actor ChainFollower: VerifiedHeaders {
    /// Where the ``KeptState`` is kept, in a place that notices an older copy.
    public struct Keeping: Sendable {
        public var load: @Sendable () async throws -> [UInt8]?
        public var store: @Sendable ([UInt8]) async throws -> Void

        public init(
            load: @escaping @Sendable () async throws -> [UInt8]?,
            store: @escaping @Sendable ([UInt8]) async throws -> Void
        ) {
            self.load = load
            self.store = store
        }
    }

    /// Where trust begins.
    public struct Root: Sendable {
        public var height: Int64
        /// 32 bytes.
        public var hash: [UInt8]

        public init(height: Int64, hash: [UInt8]) {
            self.height = height
            self.hash = hash
        }
    }

    public nonisolated let chainID: String
    private let settings: LightClientSettings
    private let root: Root
    private let primary: any HeaderSource
    private let witnesses: [any HeaderSource]
    private let keeping: Keeping
    private let now: @Sendable () -> ChainTime
    private let poll: Duration
    /// Between two writes of the trusted state.
    private let interval: Duration
    private var client: LightClient?
    /// Why nothing is served until an operator decides.
    public private(set) var conflict: ChainConflict?
    private var isConflictKept = false
    /// What an operator said before there is a client to hear it.
    private var ruling: ChainRuling?
    private var isResolving = false
    private var problem = LightClientError(.unavailable, "the light client has not started yet")
    private var written: (height: Int64, at: ContinuousClock.Instant)?
    private var step: Task<LightClientError?, Never>?
    /// When the last step ended.
    private var stepped: ContinuousClock.Instant?
    /// Between two tries to start.
    private static let impatience = Duration.seconds(1)
    /// Between two steps that requests ask for.
    private static let breath = Duration.milliseconds(100)

    public init(
        _ settings: LightClientSettings, root: Root, primary: any HeaderSource, witnesses: [any HeaderSource],
        keeping: Keeping, poll: Duration, interval: Duration = .seconds(60), now: @escaping @Sendable () -> ChainTime
    ) {
        chainID = settings.rules.chainID
        self.settings = settings
        self.root = root
        self.primary = primary
        self.witnesses = witnesses
        self.keeping = keeping
        self.poll = poll
        self.interval = interval
        self.now = now
    }

    /// Follows until the task is cancelled.
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
            let problem = await advanceOnce()
            if isFirst || problem?.code != last?.code { told(problem) }
            (isFirst, last) = (false, problem)
            await stepped(problem)
            // Without a client, requests cannot ask for a step themselves.
            try? await Task.sleep(for: client == nil ? min(poll, Self.impatience) : poll)
        }
        // In a task of its own: this one is cancelled, and what is cancelled writes nothing.
        await Task { await keep(always: true) }.value
    }

    public func header(at height: Int64) async throws(LightClientError) -> (header: VerifiedHeader, latest: Int64) {
        guard let client else { throw problem }
        // A step that is under way may have asked for the head before the block was made: then one more is needed.
        var left = step == nil ? 1 : 2
        while left > 0, try await Self.isBehind(client, height) {
            left -= 1
            // New to us, and perhaps not to the chain. Whoever names such heights must not make us ask without end.
            if step == nil, let stepped { try? await Task.sleep(until: stepped + Self.breath, clock: .continuous) }
            if let problem = await advanceOnce(), problem.code != .notEnoughTrust { throw problem }
        }
        let header = try await client.header(at: height)
        return (header, try await client.latest().height)
    }

    /// Whether a step may lead to a height; one that ends the age of an old head may, too.
    private static func isBehind(_ client: LightClient, _ height: Int64) async throws(LightClientError) -> Bool {
        do throws(LightClientError) { return try await client.latest().height < height } catch {
            guard error.code == .stale else { throw error }
            return true
        }
    }

    public func latest() async -> Result<VerifiedHeader, LightClientError> {
        guard let client else { return .failure(problem) }
        do throws(LightClientError) { return .success(try await client.latest()) } catch { return .failure(error) }
    }

    /// Serves again, because an operator says which of the two headers is right. What was trusted before still is.
    ///
    /// - Returns: The conflict that was.
    /// - Throws: `.settings` as ``LightClient/resolve(keeping:)`` does; `.unavailable` if it cannot be written down: then the
    ///   conflict stands.
    public func resolve(keeping hash: [UInt8]) async throws(LightClientError) -> ChainConflict {
        while let step { _ = await step.value }
        guard !isResolving, let conflict else { throw LightClientError(.settings, "there is no conflict") }
        isResolving = true
        defer { isResolving = false }
        let before =
            if let client { await client.kept } else { KeptState(trusted: nil, conflict: conflict, ruling: ruling) }
        let after = try before.resolved(keeping: hash)
        let bytes = try after.encoded()
        do { try await keeping.store(bytes) } catch {
            throw LightClientError(.unavailable, "the decision cannot be written down, so the conflict stands")
        }
        try await client?.resolve(keeping: hash)
        (self.conflict, isConflictKept, ruling) = (nil, false, after.ruling)
        problem = LightClientError(.unavailable, "the light client has not gone on yet")
        return conflict
    }

    /// One step forward, shared by all who want one now.
    private func advanceOnce() async -> LightClientError? {
        if let step { return await step.value }
        let task = Task {
            let problem = await self.advance()
            // Before anybody who waits goes on, so that none joins a step that has ended.
            step = nil
            stepped = .now
            return problem
        }
        step = task
        return await task.value
    }

    private func advance() async -> LightClientError? {
        if isResolving { return conflict?.error }
        do throws(LightClientError) {
            let client = try await start()
            let before = await client.trusted.height
            let reached = try await client.advance()
            if reached.height > before + 1, reached.height - before <= settings.maximumAge {
                // The heights that were skipped are asked for soon; they are fetched here and not on a request's way.
                _ = try? await client.header(at: before + 1)
            }
            await keep(always: false)
            return nil
        } catch {
            problem = error
            await keepConflict()
            return error
        }
    }

    /// Before anything else is done: a restart must not forget it.
    private func keepConflict() async {
        guard let client, let found = await client.conflict else { return }
        conflict = found
        guard !isConflictKept else { return }
        do {
            try await keeping.store(try await client.kept.encoded())
            isConflictKept = true
        } catch {
            // Tried again at the next step, and found again after a restart, as long as the nodes disagree.
        }
    }

    private func start() async throws(LightClientError) -> LightClient {
        if let client { return client }
        let kept = try await stored()
        if let found = kept?.conflict { (conflict, isConflictKept) = (found, true) }
        ruling = kept?.ruling
        let trusted: TrustedState
        if let known = kept?.trusted {
            trusted = known
        } else {
            // Nobody need be asked to know that nothing is served.
            if let conflict { throw conflict.error }
            trusted = try await LightClient.start(
                settings, height: root.height, hash: root.hash, primary: primary, now: now)
        }
        // Another call may have started it meanwhile; steps are shared, so only this one does.
        let client = try LightClient(
            settings, trusted: trusted, conflict: conflict, ruling: ruling, primary: primary, witnesses: witnesses,
            now: now)
        self.client = client
        return client
    }

    private func stored() async throws(LightClientError) -> KeptState? {
        let bytes: [UInt8]?
        do { bytes = try await keeping.load() } catch let error as DecryptionError {
            throw LightClientError(.unavailable, "the trusted state cannot be read: \(error.message)")
        } catch {
            throw LightClientError(.unavailable, "the trusted state cannot be read now")
        }
        guard let bytes else { return nil }
        var state = try KeptState(decoding: bytes)
        // The operators' word about a later height goes before what was kept: so trust that has expired is renewed. A conflict
        // it does not end.
        if let trusted = state.trusted, trusted.height < root.height { state.trusted = nil }
        return state
    }

    private func keep(always: Bool) async {
        // A conflict is written when it is found, and its end when it is decided.
        guard let client, !isResolving, conflict == nil else { return }
        let kept = await client.kept
        guard kept.conflict == nil, let height = kept.trusted?.height else { return }
        if let written {
            guard height > written.height, always || .now - written.at >= interval else { return }
        }
        do {
            try await keeping.store(try kept.encoded())
            written = (height, .now)
        } catch {
            // Tried again at the next step; meanwhile a restart begins from the older state, which is safe.
        }
    }
}
