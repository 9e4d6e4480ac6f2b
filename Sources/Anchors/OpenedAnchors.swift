import EnclaveLock
import Synchronization

/// Records that the token has opened, so that a use costs no second call. Bounded; any entry may give way.
///
/// - Concurrency: any thread; one short critical section per call.
final class OpenedAnchors: Sendable {
    private let limit: Int
    private let entries = Mutex<[[UInt8]: OpenedAnchor]>([:])

    init(limit: Int = 4096) { self.limit = limit }

    /// What was opened of a record, unless it was for another identity or with other public values.
    func find(_ record: AnchorRecord, _ identity: RecordIdentity) -> OpenedAnchor? {
        let found = entries.withLock { $0[record.blob] }
        guard let found, found.record == record, found.identity == identity else { return nil }
        return found
    }

    func insert(_ opened: OpenedAnchor) {
        entries.withLock { entries in
            if entries.count >= limit { entries.remove(at: entries.startIndex) }
            entries[opened.record.blob] = opened
        }
    }

    func remove(_ record: AnchorRecord) -> OpenedAnchor? {
        entries.withLock { $0.removeValue(forKey: record.blob) }
    }
}
