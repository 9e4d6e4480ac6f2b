/// Remembers what was used recently, within a bound.
///
/// Two generations: what is found in the older one moves to the younger; when that has half of the bound, the older one is
/// forgotten. So at least the half of the bound that was used last is there, and each step takes constant time.
public struct RecentlyUsed<Key: Hashable, Value> {
    @usableFromInline var young: [Key: Value]
    @usableFromInline var old: [Key: Value]
    @usableFromInline let half: Int

    /// - Parameter limit: Most values, at least 2.
    @inlinable public init(limit: Int) {
        half = max(1, limit / 2)
        (young, old) = ([:], [:])
    }

    @inlinable public var count: Int { young.count + old.keys.count { young[$0] == nil } }

    /// Looks without use.
    @inlinable public func peek(_ key: Key) -> Value? { young[key] ?? old[key] }

    @inlinable public mutating func find(_ key: Key) -> Value? {
        if let value = young[key] { return value }
        guard let value = old[key] else { return nil }
        insert(value, key)
        return value
    }

    @inlinable public mutating func insert(_ value: Value, _ key: Key) {
        if young.count >= half, young[key] == nil {
            old = young
            // It was full once, so it will be again.
            young = Dictionary(minimumCapacity: half)
        }
        young[key] = value
    }
}
