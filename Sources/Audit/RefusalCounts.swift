import Synchronization

/// Counts refusals that repeat, so that nobody fills the audit chain with them: of each kind some are recorded one by one in
/// a minute, and one record tells of the others.
///
/// A crash forgets the counts of the minute it ends.
///
/// - Concurrency: any number of calls at once.
package final class RefusalCounts: Sendable {
    package struct Kind: Hashable, Sendable {
        /// Who it was, as far as the request proved it; `-` for nobody.
        package var actor: String
        package var operation: String
        package var reason: String
        /// Whether it was the server's fault.
        package var isFailure: Bool

        package init(actor: String, operation: String, reason: String, isFailure: Bool) {
            self.actor = actor
            self.operation = operation
            self.reason = reason
            self.isFailure = isFailure
        }
    }

    package struct Count: Sendable {
        /// Recorded one by one.
        package var whole = 0
        /// The others.
        package var count = 0
        /// Unix seconds, of the others.
        package var first: Int64 = 0
        package var last: Int64 = 0
        /// Of the last one.
        package var address = "-"
        package var requestID = "-"
    }

    /// Recorded one by one in an interval, of each kind.
    package static let whole = 20
    /// Most kinds distinguished in an interval; callers that find no place are counted as nobody.
    package static let capacity = 256
    /// In seconds.
    package static let interval: Int64 = 60

    private struct State {
        var counts: [Kind: Count] = [:]
        var began: Int64?
    }

    private let state = Mutex(State())

    package init() {}

    /// Whether the refusal gets a record of its own; if not, it is counted.
    package func isWhole(_ kind: Kind, address: String, requestID: String, at now: Int64) -> Bool {
        state.withLock { state in
            var kind = kind
            if state.counts[kind] == nil, state.counts.count >= Self.capacity { kind.actor = "-" }
            // Operations and reasons are the program's words, of which there are few; this bounds them all the same.
            if state.counts[kind] == nil, state.counts.count >= 2 * Self.capacity { kind.reason = "other" }
            var count = state.counts[kind] ?? Count()
            defer { state.counts[kind] = count }
            if state.began == nil { state.began = now }
            if count.whole < Self.whole {
                count.whole += 1
                return true
            }
            if count.count == 0 { count.first = now }
            count.count += 1
            count.last = now
            count.address = address
            count.requestID = requestID
            return false
        }
    }

    /// Hands out and forgets the counts once their interval is over.
    ///
    /// - Parameter isLast: Whether the interval ends now.
    package func take(at now: Int64, isLast: Bool = false) -> [Kind: Count] {
        state.withLock { state in
            // A clock that was set back ends the interval too.
            guard let began = state.began, isLast || now >= began + Self.interval || now < began else { return [:] }
            defer { state = State() }
            return state.counts.filter { $0.value.count > 0 }
        }
    }

    /// The record of what was only counted.
    package static func event(front: String, _ kind: Kind, _ count: Count) -> AuditEvent {
        AuditEvent(
            front: front, actor: kind.actor, operation: kind.operation, subject: "",
            outcome: kind.isFailure ? .failed : .refused, reason: kind.reason, requestID: count.requestID,
            details: [
                "count": "\(count.count)", "first": "\(count.first)", "last": "\(count.last)",
                "address": count.address,
            ])
    }
}
