/// A bounded queue that serves its tenants in turn, each one's elements in their order, and keeps places for tenants that have
/// few: three quarters go to whoever comes first; of the rest, only who has less than an equal part gets one.
package struct FairQueue<Tenant: Hashable, Element> {
    private let limit: Int
    private var waiting: [Tenant: RingBuffer<Element>] = [:]
    /// Whose turn it is; each tenant that has something waiting is in it once.
    private var turns = RingBuffer<Tenant>()
    /// Served before all others.
    private var front = RingBuffer<Element>()
    /// Of a tenant that has nothing more waiting, so that a quiet queue allocates nothing.
    private var spare: RingBuffer<Element>?
    package private(set) var count = 0

    package init(limit: Int) { self.limit = limit }

    /// - Returns: False if there is no place for this tenant.
    package mutating func append(_ element: Element, of tenant: Tenant) -> Bool {
        guard hasPlace(for: tenant) else { return false }
        if waiting[tenant] == nil {
            waiting[tenant] = spare ?? RingBuffer()
            spare = nil
            turns.append(tenant)
        }
        waiting[tenant]?.append(element)
        count += 1
        return true
    }

    /// Puts an element back that was taken before; there is always a place.
    package mutating func prepend(_ element: Element) {
        front.prepend(element)
        count += 1
    }

    package mutating func popFirst() -> Element? {
        if let element = front.popFirst() {
            count -= 1
            return element
        }
        guard let tenant = turns.popFirst() else { return nil }
        let element = waiting[tenant]?.popFirst()
        if waiting[tenant]?.count ?? 0 > 0 {
            turns.append(tenant)
        } else {
            spare = waiting.removeValue(forKey: tenant)
        }
        if element != nil { count -= 1 }
        return element
    }

    package mutating func removeAll() -> [Element] { removeAll { _ in true } }

    /// Takes out what matches; of each tenant in order.
    package mutating func removeAll(where isMatch: (Element) -> Bool) -> [Element] {
        var taken = front.removeAll(where: isMatch)
        for _ in 0..<turns.count {
            guard let tenant = turns.popFirst() else { break }
            taken += waiting[tenant]?.removeAll(where: isMatch) ?? []
            if waiting[tenant]?.count ?? 0 > 0 { turns.append(tenant) } else { waiting[tenant] = nil }
        }
        count -= taken.count
        return taken
    }

    private func hasPlace(for tenant: Tenant) -> Bool {
        let rest = limit / 4
        if count < limit - rest { return true }
        let held = waiting[tenant]?.count ?? 0
        let tenants = waiting.count + (held == 0 ? 1 : 0)
        return count < limit && held < max(1, rest / tenants)
    }
}
