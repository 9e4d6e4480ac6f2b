import Outbound

/// Keeps a key set fresh: fetched when it is asked for and too old, by one request at a time.
///
/// A set that cannot be fetched is replaced by the last one until that is older than the stale limit; after it, and
/// before the first answer, every token is refused.
///
/// - Concurrency: an actor; a slow server delays who waits for its keys, and nobody else.
actor KeySetSource {
    /// Between two attempts, whether the last one failed or a token named an unknown key.
    static let pause: Duration = .seconds(10)

    private let settings: KeySetSettings
    private let outbound: any OutboundSending
    private let clock: TokenClock
    private var current: (set: KeySet, fetched: Duration)?
    private var attempted: Duration?
    private var failure = BearerTokenError(.keysUnavailable, "the key set has not been fetched yet")
    private var fetch: Task<Result<KeySet, BearerTokenError>, Never>?

    init(_ settings: KeySetSettings, outbound: any OutboundSending, clock: TokenClock) {
        self.settings = settings
        self.outbound = outbound
        self.clock = clock
    }

    /// The key for a token.
    ///
    /// - Throws: `.keysUnavailable`, or `.signatureInvalid` if no key fits.
    func key(for token: CompactToken) async throws(BearerTokenError) -> TokenKey {
        if isOlder(than: settings.refresh) { await refresh() }
        if let key = try usable().key(for: token) { return key }
        // The issuer may have a new key that we have not seen.
        let before = current?.fetched
        await refresh()
        if current?.fetched != before, let key = try usable().key(for: token) { return key }
        throw BearerTokenError(.signatureInvalid, "invalid signature: no key of the key set fits the token")
    }

    private func usable() throws(BearerTokenError) -> KeySet {
        guard let current, !isOlder(than: settings.staleLimit) else { throw failure }
        return current.set
    }

    private func isOlder(than age: Duration) -> Bool {
        guard let current else { return true }
        return clock.elapsed() - current.fetched >= age
    }

    /// Fetches once, unless the last attempt was a moment ago; joins a fetch in flight.
    private func refresh() async {
        let task: Task<Result<KeySet, BearerTokenError>, Never>
        if let fetch {
            task = fetch
        } else {
            let now = clock.elapsed()
            if let attempted, now - attempted < min(Self.pause, settings.refresh) { return }
            attempted = now
            let (url, outbound) = (settings.url, outbound)
            task = Task { await Self.load(url, outbound) }
            fetch = task
        }
        let result = await task.value
        guard fetch == task else { return }
        fetch = nil
        switch result {
        case .success(let set): current = (set, attempted ?? clock.elapsed())
        case .failure(let error): failure = error
        }
    }

    private static func load(_ url: String, _ outbound: any OutboundSending) async -> Result<KeySet, BearerTokenError> {
        do throws(OutboundError) {
            let answer = try await outbound.send(
                OutboundRequest(method: "GET", url: url, headers: [(name: "Accept", value: "application/json")]))
            guard answer.status == 200 else {
                return .failure(
                    BearerTokenError(.keysUnavailable, "the key set's server answered \(answer.status), not 200"))
            }
            return await parse(answer.body)
        } catch {
            return .failure(BearerTokenError(.keysUnavailable, "the key set cannot be fetched: \(error.message)"))
        }
    }

    private static func parse(_ body: [UInt8]) async -> Result<KeySet, BearerTokenError> {
        do throws(BearerTokenError) {
            return .success(try await KeySet(reading: body))
        } catch {
            return .failure(error)
        }
    }
}
