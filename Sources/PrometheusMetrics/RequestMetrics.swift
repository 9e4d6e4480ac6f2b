import Synchronization

/// Requests and answers of an HTTP front, by route and by status.
///
/// - Concurrency: any thread; one short lock a request.
public final class RequestMetrics: Sendable {
    /// Routes kept apart at most; further ones count as `other`.
    static let maximumRoutes = 256

    private struct State {
        // exact: the names are this program's own, in ASCII.
        var routes: [String: (count: UInt64, seconds: Histogram)] = [:]
        var statuses: [Int: UInt64] = [:]
    }
    private let state = Mutex(State())

    public init() {}

    /// - Parameters:
    ///   - route: The template, never what a caller wrote.
    public func record(route: String, status: Int, since start: ContinuousClock.Instant) {
        let duration = ContinuousClock.now - start
        let histogram = state.withLock { state in
            var name = route
            if state.routes[name] == nil, state.routes.count >= Self.maximumRoutes { name = "other" }
            let histogram = state.routes[name]?.seconds ?? Histogram()
            state.routes[name] = ((state.routes[name]?.count ?? 0) + 1, histogram)
            state.statuses[(100...599).contains(status) ? status : 0, default: 0] += 1
            return histogram
        }
        histogram.record(duration)
    }

    /// Adds the three families of an HTTP front.
    public func write(to text: inout PrometheusText) {
        let (routes, statuses) = state.withLock { ($0.routes, $0.statuses) }
        let names = routes.keys.sorted()
        text.family("kms_http_requests_count", .counter, "Requests by route.")
        for name in names { text.value("kms_http_requests_count", labels: ["path": name], routes[name]?.count ?? 0) }
        text.family("kms_http_response_seconds", .histogram, "Time from a request's head to its answer, by route.")
        for name in names {
            if let histogram = routes[name]?.seconds {
                text.value("kms_http_response_seconds", labels: ["path": name], histogram)
            }
        }
        text.family("kms_http_response_status_count", .counter, "Answers by status.")
        for status in statuses.keys.sorted() {
            text.value("kms_http_response_status_count", labels: ["status": "\(status)"], statuses[status] ?? 0)
        }
    }
}
