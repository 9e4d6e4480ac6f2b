import Encodings
internal import Synchronization
import Workers

/// What presented capabilities were found to allow, so that a client's next request costs one signature check instead of
/// two and the canonical form of a document.
///
/// Only capabilities that held are remembered, under the hash of the whole header and the root they were compared with;
/// the request's own signature, its action, its age and the caveats are checked every time.
///
/// - Concurrency: any thread; a critical section is a dictionary access.
final class GrantCache: Sendable {
    /// What a capability may do, after every delegation above it.
    struct Grant: Sendable {
        /// The action the header names.
        let action: ExactText
        /// With the actions that its parents leave it.
        let capability: Capability
        /// The first second at which a caveat of the chain refuses; nil for none.
        let end: Int64?
    }

    private struct Entry {
        let grant: Grant
        let root: Capability
        let until: Int64
    }

    private let seconds: Int64
    private let entries: Mutex<RecentlyUsed<ByteKey, Entry>>

    /// - Parameters:
    ///   - seconds: How long a grant is remembered.
    ///   - limit: Grants remembered at most; when full, those go that were not used recently.
    init(seconds: Int64 = 300, limit: Int = 10_000) {
        self.seconds = seconds
        entries = Mutex(RecentlyUsed(limit: limit))
    }

    /// The grant, if this header held against this very root lately.
    func find(_ digest: [UInt8], root: Capability, now: Int64) -> Grant? {
        guard let entry = entries.withLock({ $0.find(ByteKey(digest)) }), entry.root == root, now < entry.until,
            now >= entry.until - seconds
        else { return nil }
        return entry.grant
    }

    func remember(_ grant: Grant, _ digest: [UInt8], root: Capability, now: Int64) {
        let entry = Entry(grant: grant, root: root, until: now + seconds)
        entries.withLock { $0.insert(entry, ByteKey(digest)) }
    }

    var count: Int { entries.withLock { $0.count } }
}
