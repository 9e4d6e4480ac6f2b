/// Remembers what was used recently, within a bound.
///
/// Two generations: what is found in the older one moves to the younger; when that has half of the bound, the older one is
/// forgotten. So at least the half of the bound that was used last is there, and each step takes constant time.
package struct RecentlyUsed<Key: Hashable, Value> {
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    private let half: Int

    /// - Parameter limit: Most values, at least 2.
    package init(limit: Int) { half = max(1, limit / 2) }

    package var count: Int { young.count + old.keys.count { young[$0] == nil } }

    /// Looks without use.
    package func peek(_ key: Key) -> Value? { young[key] ?? old[key] }

    package mutating func find(_ key: Key) -> Value? {
        if let value = young[key] { return value }
        guard let value = old[key] else { return nil }
        insert(value, key)
        return value
    }

    package mutating func insert(_ value: Value, _ key: Key) {
        if young.count >= half, young[key] == nil {
            old = young
            // It was full once, so it will be again.
            young = Dictionary(minimumCapacity: half)
        }
        young[key] = value
    }
}
