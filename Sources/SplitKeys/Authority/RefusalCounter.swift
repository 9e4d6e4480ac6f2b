import Audit
import Synchronization

/// Counts the refusals of callers who proved nothing, so that they cannot fill the audit chain: one record for each kind
/// and key tells of all of an interval.
///
/// A crash forgets the counts of the interval it ends.
///
/// - Concurrency: any number of calls at once.
final class RefusalCounter: Sendable {
    struct Kind: Hashable, Sendable {
        var operation: String
        var reason: SplitKeyError.Code
        /// What the records name; a name that a caller made up is none.
        var subject: String
    }

    struct Count: Hashable, Sendable {
        var count = 0
        /// Unix seconds.
        var first: Int64
        var last: Int64
        /// Of the last one.
        var address: String
        var requestID: String
    }

    /// Most kinds distinguished in an interval.
    static let capacity = 64
    /// In seconds.
    static let interval: Int64 = 60
    /// The subject of what finds no place.
    static let others = "split:others"

    private struct State {
        var counts: [Kind: Count] = [:]
        var began: Int64?
    }

    private let state = Mutex(State())

    func count(_ kind: Kind, address: String, requestID: String, at now: Int64) {
        state.withLock { state in
            var kind = kind
            // One place for each operation and reason is kept for the others, of which there are few.
            if state.counts[kind] == nil, state.counts.count >= Self.capacity { kind.subject = Self.others }
            var count = state.counts[kind] ?? Count(first: now, last: now, address: address, requestID: requestID)
            count.count += 1
            count.last = now
            count.address = address
            count.requestID = requestID
            state.counts[kind] = count
            if state.began == nil { state.began = now }
        }
    }

    /// Hands out and forgets the counts once their interval is over.
    ///
    /// - Parameter isLast: Whether the interval ends now.
    func take(at now: Int64, isLast: Bool = false) -> [Kind: Count] {
        state.withLock { state in
            // A clock that was set back ends the interval too.
            guard let began = state.began, isLast || now >= began + Self.interval || now < began else { return [:] }
            defer { state = State() }
            return state.counts
        }
    }
}
