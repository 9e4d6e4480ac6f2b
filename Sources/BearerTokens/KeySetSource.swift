import Encodings
import OutboundHTTP

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
    private let report: @Sendable (String) -> Void
    /// What was last told to the operator of the set.
    private var told = ""
    private var current: (set: KeySet, fetched: Duration)?
    private var attempted: Duration?
    private var failure = BearerTokenError(.keysUnavailable, "the key set has not been fetched yet")
    private var fetch: Task<Result<KeySet, BearerTokenError>, Never>?

    /// - Parameter report: Told of keys that are passed over and of a set that is refused, once for each change.
    init(
        _ settings: KeySetSettings, outbound: any OutboundSending, clock: TokenClock,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.report = report
        self.settings = settings
        self.outbound = outbound
        self.clock = clock
    }

    /// The keys that may have signed a token; a few at most, one if the token names it.
    ///
    /// - Throws: `.keysUnavailable`, or `.signatureInvalid` if no key fits.
    func keys(for token: CompactToken) async throws(BearerTokenError) -> [TokenKey] {
        if isOlder(than: settings.refresh) { await refresh() }
        let keys = try usable().keys(for: token)
        if !keys.isEmpty { return keys }
        let renewed = try await renewedKeys(for: token)
        guard !renewed.isEmpty else {
            throw BearerTokenError(.signatureInvalid, "invalid signature: no key of the key set fits the token")
        }
        return renewed
    }

    /// The keys of the issuer that we may not have seen yet, for a token that none fits; none if the set was fetched a
    /// moment ago.
    func renewedKeys(for token: CompactToken) async throws(BearerTokenError) -> [TokenKey] {
        let before = current?.fetched
        await refresh()
        return current?.fetched == before ? [] : try usable().keys(for: token)
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
        case .success(let set):
            current = (set, attempted ?? clock.elapsed())
            tell(set.ignored.isEmpty ? "" : "keys of the key set are not used: " + set.ignored.joined(separator: "; "))
        case .failure(let error):
            failure = error
            tell(error.message)
        }
    }

    private func tell(_ message: String) {
        guard !message.isExactly(told) else { return }
        told = message
        if !message.isEmpty { report(message) }
    }

    private static func load(_ url: String, _ outbound: any OutboundSending) async -> Result<KeySet, BearerTokenError> {
        do throws(OutboundError) {
            let answer = try await outbound.send(
                OutboundRequest(method: "GET", url: url, headers: [(name: "Accept", value: "application/json")]))
            guard answer.status == 200 else {
                return .failure(
                    BearerTokenError(.keysUnavailable, "the key set's server answered \(answer.status), not 200"))
            }
            return parse(answer.body)
        } catch {
            return .failure(BearerTokenError(.keysUnavailable, "the key set cannot be fetched: \(error.message)"))
        }
    }

    private static func parse(_ body: [UInt8]) -> Result<KeySet, BearerTokenError> {
        do throws(BearerTokenError) {
            return .success(try KeySet(reading: body))
        } catch {
            return .failure(error)
        }
    }
}
