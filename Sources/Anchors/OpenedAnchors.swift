import Encodings
import Synchronization

/// Records that the token has opened, so that a use costs no second call. Bounded; any entry may give way.
///
/// - Concurrency: any thread; one short critical section per call.
final class OpenedAnchors<Opened: Sendable>: Sendable {
    private struct Entry {
        let record: AnchorRecord
        let identity: RecordIdentity
        let opened: Opened
    }

    private let limit: Int
    private let entries = Mutex<[[UInt8]: Entry]>([:])

    init(limit: Int = 4096) { self.limit = limit }

    /// What was opened of a record, unless it was for another identity or with other public values.
    func find(_ record: AnchorRecord, _ identity: RecordIdentity) -> Opened? {
        let found = entries.withLock { $0[record.blob] }
        guard let found, found.record == record, found.identity == identity else { return nil }
        return found.opened
    }

    func insert(_ opened: Opened, _ record: AnchorRecord, _ identity: RecordIdentity) {
        entries.withLock { entries in
            if entries.count >= limit { entries.remove(at: entries.startIndex) }
            entries[record.blob] = Entry(record: record, identity: identity, opened: opened)
        }
    }

    func remove(_ record: AnchorRecord) -> Opened? {
        entries.withLock { $0.removeValue(forKey: record.blob)?.opened }
    }
}
