import Anchors
import SecretMemory
import Synchronization

/// A server share ready to sign: its record is authentic.
struct OpenedShare: Sendable {
    let record: ShareRecord
    /// The anchor's correction, or the whole share.
    let secret: SharedSecret
    let anchor: (record: AnchorRecord, row: AnchorRow)?
    let expires: ContinuousClock.Instant
}

/// Shares that were opened a short while ago, in locked memory.
///
/// - Concurrency: any number of calls at once.
final class OpenedShares: Sendable {
    private let capacity: Int
    // exact: names of keys are hexadecimal digits that were made here.
    private let shares = Mutex<[String: OpenedShare]>([:])

    init(capacity: Int) { self.capacity = capacity }

    func find(_ peer: String) -> OpenedShare? {
        shares.withLock { shares in
            guard let share = shares[peer] else { return nil }
            if share.expires > ContinuousClock.now { return share }
            shares[peer] = nil
            return nil
        }
    }

    /// Keeps a share until its time is over; the table makes room by dropping what has expired, or else one of the rest.
    func insert(_ share: OpenedShare, _ peer: String) {
        guard share.expires > ContinuousClock.now, capacity > 0 else { return }
        shares.withLock { shares in
            if shares.count >= capacity {
                let now = ContinuousClock.now
                shares = shares.filter { $0.value.expires > now }
                if shares.count >= capacity, let victim = shares.keys.first { shares[victim] = nil }
            }
            shares[peer] = share
        }
    }

    func forget(_ peer: String) { shares.withLock { $0[peer] = nil } }

    /// Drops what has expired.
    func sweep() {
        let now = ContinuousClock.now
        shares.withLock { shares in shares = shares.filter { $0.value.expires > now } }
    }
}
