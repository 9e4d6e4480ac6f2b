/// A bounded queue that serves its tenants in turn, each one's elements in their order, and keeps places for tenants that have
/// few: three quarters go to whoever comes first; of the rest, only who has less than an equal part gets one.
public struct FairQueue<Tenant: Hashable, Element> {
    @usableFromInline let limit: Int
    @usableFromInline var waiting: [Tenant: RingBuffer<Element>]
    /// Whose turn it is; each tenant that has something waiting is in it once.
    @usableFromInline var turns: RingBuffer<Tenant>
    /// Served before all others.
    @usableFromInline var front: RingBuffer<Element>
    /// Of a tenant that has nothing more waiting, so that a quiet queue allocates nothing.
    @usableFromInline var spare: RingBuffer<Element>?
    @usableFromInline var held: Int

    @inlinable public var count: Int { held }

    @inlinable public init(limit: Int) {
        self.limit = limit
        waiting = [:]
        turns = RingBuffer()
        front = RingBuffer()
        held = 0
    }

    /// - Returns: False if there is no place for this tenant.
    @inlinable public mutating func append(_ element: Element, of tenant: Tenant) -> Bool {
        guard hasPlace(for: tenant) else { return false }
        if let place = waiting.index(forKey: tenant) {
            waiting.values[place].append(element)
        } else {
            var ring = spare.take() ?? RingBuffer()
            ring.append(element)
            waiting[tenant] = ring
            turns.append(tenant)
        }
        held += 1
        return true
    }

    /// Puts an element back that was taken before; there is always a place.
    @inlinable public mutating func prepend(_ element: Element) {
        front.prepend(element)
        held += 1
    }

    @inlinable public mutating func popFirst() -> Element? {
        if let element = front.popFirst() {
            held -= 1
            return element
        }
        guard let tenant = turns.popFirst(), let place = waiting.index(forKey: tenant) else { return nil }
        let element = waiting.values[place].popFirst()
        if waiting.values[place].count > 0 {
            turns.append(tenant)
        } else {
            spare = waiting.remove(at: place).value
        }
        if element != nil { held -= 1 }
        return element
    }

    @inlinable public mutating func removeAll() -> [Element] { removeAll { _ in true } }

    /// Takes out what matches; of each tenant in order.
    @inlinable public mutating func removeAll(where isMatch: (Element) -> Bool) -> [Element] {
        var taken = front.removeAll(where: isMatch)
        for _ in 0..<turns.count {
            guard let tenant = turns.popFirst() else { break }
            taken += waiting[tenant]?.removeAll(where: isMatch) ?? []
            if waiting[tenant]?.count ?? 0 > 0 { turns.append(tenant) } else { waiting[tenant] = nil }
        }
        held -= taken.count
        return taken
    }

    @inlinable func hasPlace(for tenant: Tenant) -> Bool {
        let rest = limit / 4
        if count < limit - rest { return true }
        let mine = waiting[tenant]?.count ?? 0
        let tenants = waiting.count + (mine == 0 ? 1 : 0)
        return count < limit && mine < max(1, rest / tenants)
    }
}
