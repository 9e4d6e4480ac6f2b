/// A bounded number of places, so shared that no owner takes the last ones from the others: three quarters go to whoever
/// comes first; of the rest, only who has less than an equal part gets one.
public struct Shares<Owner: Hashable & Sendable>: Sendable {
    public let limit: Int
    public private(set) var count = 0
    private var counts: [Owner: Int] = [:]

    public init(limit: Int) { self.limit = limit }

    /// Takes a place; false if there is none for this owner.
    public mutating func take(_ owner: Owner) -> Bool {
        let held = counts[owner] ?? 0
        let rest = limit / 4
        if count >= limit - rest {
            let owners = counts.count + (held == 0 ? 1 : 0)
            guard count < limit, held < max(1, rest / owners) else { return false }
        }
        counts[owner] = held + 1
        count += 1
        return true
    }

    public mutating func giveBack(_ owner: Owner, _ places: Int = 1) {
        guard let held = counts[owner] else { return }
        let given = min(held, places)
        counts[owner] = held == given ? nil : held - given
        count -= given
    }

    public mutating func removeAll() {
        counts = [:]
        count = 0
    }
}
