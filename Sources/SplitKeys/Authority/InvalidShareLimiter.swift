import Synchronization

/// Bounds the pairings that callers without a split key can make this server compute.
///
/// Signing asks for no token, so anybody who knows a public key can send halves that are wrong, and only a pairing tells.
/// Each wrong one is counted against its address and its key; where either is used up, the next one is refused before
/// the pairing. A key's holder must not be locked out by a stranger's attempts, so an address that lately sent a right
/// half for a key is judged by what it sent for that key alone; so is a caller whose token is the key's owner's, wherever
/// it is; and an address that sent no wrong half lately is heard although others have used up the key.
///
/// - Concurrency: any number of calls at once.
final class InvalidShareLimiter: Sendable {
    private struct Pair: Hashable {
        var key: String
        var address: String
    }

    private struct Known {
        /// The present period and the one before it, so that forgetting needs no sweep.
        var recent: Set<Pair> = []
        var older: Set<Pair> = []
        var began = ContinuousClock.now
    }

    /// Most names in each table. An entry takes about 300 bytes.
    private static let capacity = 10_000
    /// An address stays known for one to two of these.
    private static let period: Duration = .seconds(600)

    private let addresses: RateLimiter<String>
    private let keys: RateLimiter<String>
    /// For a key that is used up: what addresses may still try that sent no wrong half lately.
    private let newcomers: RateLimiter<String>
    private let pairs: RateLimiter<Pair>
    private let known = Mutex(Known())

    /// - Parameter perSecond: Wrong halves per second, of an address and for a key; 0 for no bound.
    init(perSecond: Int) {
        addresses = RateLimiter(perSecond: perSecond, capacity: Self.capacity)
        keys = RateLimiter(perSecond: perSecond, capacity: Self.capacity)
        newcomers = RateLimiter(perSecond: perSecond, capacity: Self.capacity)
        pairs = RateLimiter(perSecond: perSecond, capacity: Self.capacity)
    }

    /// Whether a half may be looked at.
    ///
    /// - Parameter owner: The key's owner, if the caller's token proves to be that; nil otherwise.
    func admits(key: String, address: String, owner: String? = nil, now: ContinuousClock.Instant = .now) -> Bool {
        if let pair = judged(key, address, owner, now) { return pairs.hasLeft(pair, now: now) }
        guard addresses.hasLeft(address, now: now) else { return false }
        if keys.hasLeft(key, now: now) { return true }
        return addresses.isFull(address, now: now) && newcomers.hasLeft(key, now: now)
    }

    func countWrong(key: String, address: String, owner: String? = nil, now: ContinuousClock.Instant = .now) {
        if let pair = judged(key, address, owner, now) {
            pairs.admit(pair, now: now)
            return
        }
        addresses.admit(address, now: now)
        if !keys.admit(key, now: now) { newcomers.admit(key, now: now) }
    }

    /// What alone counts for a caller who is known; nil for others.
    private func judged(_ key: String, _ address: String, _ owner: String?, _ now: ContinuousClock.Instant) -> Pair? {
        // No address begins so.
        if let owner { return Pair(key: key, address: "user:" + owner) }
        let pair = Pair(key: key, address: address)
        return isKnown(pair, now) ? pair : nil
    }

    /// Remembers where a right half came from.
    func countRight(key: String, address: String, now: ContinuousClock.Instant = .now) {
        let pair = Pair(key: key, address: address)
        known.withLock { known in
            Self.turn(&known, now)
            guard !known.recent.contains(pair) else { return }
            if known.recent.count >= Self.capacity {
                known.older = known.recent
                known.recent = []
            }
            known.recent.insert(pair)
        }
    }

    private func isKnown(_ pair: Pair, _ now: ContinuousClock.Instant) -> Bool {
        known.withLock { known in
            Self.turn(&known, now)
            return known.recent.contains(pair) || known.older.contains(pair)
        }
    }

    private static func turn(_ known: inout Known, _ now: ContinuousClock.Instant) {
        let age = now - known.began
        guard age >= period else { return }
        known.older = age < period * 2 ? known.recent : []
        known.recent = []
        known.began = now
    }
}
