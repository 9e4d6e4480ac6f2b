/// Who has how many of a cache's places, and who gives one up when it is full: a newcomer takes another's only while it has less
/// than an equal part, and then from somebody with more than that; else its own.
public struct FairPlaces<Owner: Hashable & Sendable>: Sendable {
    @usableFromInline var counts: [Owner: Int]
    @usableFromInline let capacity: Int

    @inlinable public init(capacity: Int) {
        self.capacity = capacity
        counts = [:]
    }

    @inlinable public mutating func take(_ owner: Owner) { counts[owner, default: 0] += 1 }

    @inlinable public mutating func giveBack(_ owner: Owner) {
        guard let held = counts[owner] else { return }
        counts[owner] = held == 1 ? nil : held - 1
    }

    @inlinable public mutating func removeAll() { counts = [:] }

    /// Whether a place of `owner`'s may be given to `newcomer` while all are taken. If there is nobody for whom it may, there are
    /// more owners than places, and any place may.
    @inlinable public func mayLose(_ owner: Owner, to newcomer: Owner) -> Bool {
        let held = counts[newcomer] ?? 0
        let fair = max(1, capacity / (counts.count + (held == 0 ? 1 : 0)))
        return held >= fair ? owner == newcomer : counts[owner] ?? 0 > fair
    }

    /// Whether a newcomer finds nobody with more than one place while all are taken, so that looking for somebody is vain.
    package func isCrowded(for newcomer: Owner) -> Bool { counts.count >= capacity && counts[newcomer] == nil }
}
