import Synchronization

/// Which request ids may have an answer, so that a new one, as nearly all are, is not looked for in the file, and how many rows
/// there are, so that they are not counted for each.
///
/// It may say yes for an id that has none, never no for one that has. Until it is loaded, and after a write that failed, it says
/// yes to everything. Changed on the database's writer queue only.
///
/// - Concurrency: any thread.
final class AnswerIndex: Sendable {
    private struct State {
        /// Hashes with this process's own seed: whoever chooses ids cannot choose them.
        var hashes: Set<Int> = []
        var rows = 0
        var isLoaded = false
        /// When rows that are too old were removed last, in Unix seconds.
        var swept: Int64 = 0
    }

    private let state = Mutex(State())

    func mayHave(_ requestID: [UInt8]) -> Bool {
        let hash = requestID.hashValue
        return state.withLock { !$0.isLoaded || $0.hashes.contains(hash) }
    }

    var isLoaded: Bool { state.withLock { $0.isLoaded } }

    /// Rows of the file, once that is loaded.
    var count: Int { state.withLock { $0.rows } }

    /// - Parameter ids: Of every row.
    func load(_ ids: [[UInt8]]) {
        state.withLock { $0 = State(hashes: Set(ids.map(\.hashValue)), rows: ids.count, isLoaded: true) }
    }

    /// Before the row is committed: from then on a reader may find it.
    func insert(_ requestID: [UInt8]) {
        state.withLock {
            $0.hashes.insert(requestID.hashValue)
            $0.rows += 1
        }
    }

    func remove(_ ids: [[UInt8]]) {
        state.withLock {
            for id in ids { $0.hashes.remove(id.hashValue) }
            $0.rows -= ids.count
        }
    }

    /// The file may hold something else than was written down here.
    func forget() { state.withLock { $0 = State() } }

    /// Whether old rows are due to be removed: once a second.
    func isDue(at now: Int64) -> Bool {
        state.withLock { state in
            guard state.swept != now else { return false }
            state.swept = now
            return true
        }
    }
}
