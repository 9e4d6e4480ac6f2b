/// Remembers what was used recently, within a bound that owners share fairly.
///
/// Eviction is by second chance (CLOCK), among the values of whoever has more than an equal part of the places
/// (``FairPlaces``), so that one owner's many values do not push out the few of another. A step takes constant time, but for
/// the search of a place when all are taken.
package struct FairCache<Key: Hashable, Value, Owner: Hashable & Sendable> {
    private struct Slot {
        let key: Key
        let value: Value
        let owner: Owner
        var used: Bool
    }

    private var positions: [Key: Int] = [:]
    private var slots: [Slot?] = []
    private var free: [Int] = []
    private var hand = 0
    private var places: FairPlaces<Owner>
    private let capacity: Int

    /// - Parameter capacity: Most values, at least 1.
    package init(capacity: Int) {
        self.capacity = max(1, capacity)
        places = FairPlaces(capacity: self.capacity)
    }

    package var count: Int { positions.count }

    package mutating func find(_ key: Key) -> Value? {
        guard let position = positions[key] else { return nil }
        slots[position]?.used = true
        return slots[position]?.value
    }

    package mutating func insert(_ value: Value, _ key: Key, owner: Owner) {
        let old = positions[key]
        if let old, let slot = slots[old] { places.giveBack(slot.owner) }
        let position = old ?? place(for: owner)
        places.take(owner)
        slots[position] = Slot(key: key, value: value, owner: owner, used: old != nil)
        positions[key] = position
    }

    package mutating func remove(_ key: Key) {
        guard let position = positions.removeValue(forKey: key) else { return }
        if let slot = slots[position] { places.giveBack(slot.owner) }
        slots[position] = nil
        free.append(position)
    }

    /// A position to write to, evicting if there is none.
    private mutating func place(for owner: Owner) -> Int {
        if let position = free.popLast() { return position }
        if slots.count < capacity {
            slots.append(nil)
            return slots.count - 1
        }
        // Every slot is taken here; the second turn finds one whose mark the first has cleared. Where nobody may lose one
        // to the newcomer, there are more owners than places, and the next one is as good as any.
        let isCrowded = places.isCrowded(for: owner)
        for turn in 0...(2 * slots.count) {
            let position = hand
            hand = (position + 1) % slots.count
            guard let slot = slots[position] else { return position }
            let isLast = turn == 2 * slots.count
            guard isCrowded || isLast || places.mayLose(slot.owner, to: owner) else { continue }
            if slot.used, !isLast {
                slots[position]?.used = false
                continue
            }
            remove(slot.key)
            _ = free.popLast()
            return position
        }
        preconditionFailure("the last step takes the slot that it comes to")
    }
}
