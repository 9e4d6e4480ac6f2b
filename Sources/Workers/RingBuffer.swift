/// A queue that takes from the front without moving the rest.
public struct RingBuffer<Element> {
    /// As many as a power of two.
    @usableFromInline var slots: [Element?]
    @usableFromInline var head: Int
    @usableFromInline var held: Int

    @inlinable public var count: Int { held }

    @inlinable public init() {
        slots = Array(repeating: nil, count: 16)
        head = 0
        held = 0
    }

    @inlinable public mutating func append(_ element: Element) {
        if count == slots.count { grow() }
        slots[(head &+ count) & (slots.count &- 1)] = element
        held += 1
    }

    @inlinable public mutating func prepend(_ element: Element) {
        if count == slots.count { grow() }
        head = (head &+ slots.count &- 1) & (slots.count &- 1)
        slots[head] = element
        held += 1
    }

    @inlinable public mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = slots[head].take()
        head = (head &+ 1) & (slots.count &- 1)
        held -= 1
        return element
    }

    @inlinable public mutating func removeAll() -> [Element] { removeAll { _ in true } }

    /// Takes out what matches, in order; the rest stays in order.
    @inlinable public mutating func removeAll(where isMatch: (Element) -> Bool) -> [Element] {
        var taken: [Element] = []
        for _ in 0..<count {
            guard let element = popFirst() else { break }
            if isMatch(element) { taken.append(element) } else { append(element) }
        }
        return taken
    }

    @usableFromInline mutating func grow() {
        slots = (0..<count).map { slots[(head + $0) % slots.count] } + Array(repeating: nil, count: count)
        head = 0
    }
}
