/// A queue that takes from the front without moving the rest.
package struct RingBuffer<Element> {
    private var slots: [Element?] = Array(repeating: nil, count: 16)
    private var head = 0
    package private(set) var count = 0

    package init() {}

    package mutating func append(_ element: Element) {
        grow()
        slots[(head + count) % slots.count] = element
        count += 1
    }

    package mutating func prepend(_ element: Element) {
        grow()
        head = (head + slots.count - 1) % slots.count
        slots[head] = element
        count += 1
    }

    package mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = slots[head]
        slots[head] = nil
        head = (head + 1) % slots.count
        count -= 1
        return element
    }

    package mutating func removeAll() -> [Element] { removeAll { _ in true } }

    /// Takes out what matches, in order; the rest stays in order.
    package mutating func removeAll(where isMatch: (Element) -> Bool) -> [Element] {
        var taken: [Element] = []
        for _ in 0..<count {
            guard let element = popFirst() else { break }
            if isMatch(element) { taken.append(element) } else { append(element) }
        }
        return taken
    }

    private mutating func grow() {
        guard count == slots.count else { return }
        slots = (0..<count).map { slots[(head + $0) % slots.count] } + Array(repeating: nil, count: count)
        head = 0
    }
}
