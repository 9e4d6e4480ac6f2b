/// One item of Ethereum's recursive length prefix, read strictly: every length in its one spelling.
///
/// Source: Ethereum Yellow Paper, appendix B.
indirect enum RLP: Equatable {
    case bytes(ArraySlice<UInt8>)
    /// Items, and the whole list as it was written.
    case list([RLP], encoded: ArraySlice<UInt8>)

    /// Lists in lists deeper than this are in no proof.
    private static let maximumDepth = 4

    /// Reads one item that fills the bytes.
    init(_ bytes: ArraySlice<UInt8>) throws(ProofError) {
        var rest = bytes
        self = try Self.read(&rest, depth: 0)
        guard rest.isEmpty else { throw .malformed("an RLP item has bytes behind it") }
    }

    private static func read(_ rest: inout ArraySlice<UInt8>, depth: Int) throws(ProofError) -> RLP {
        guard let first = rest.first else { throw cut }
        let start = rest
        if first < 0x80 {
            rest = rest.dropFirst()
            return .bytes(start.prefix(1))
        }
        rest = rest.dropFirst()
        let isList = first >= 0xC0
        let short = Int(first) - (isList ? 0xC0 : 0x80)
        let count = short < 56 ? short : try length(&rest, bytes: short - 55)
        guard count <= rest.count else { throw cut }
        let content = rest.prefix(count)
        rest = rest.dropFirst(count)
        guard isList else {
            if count == 1, let only = content.first, only < 0x80 {
                throw .malformed("an RLP item has a length that it does not need")
            }
            return .bytes(content)
        }
        guard depth < maximumDepth else { throw .malformed("an RLP list is too deep") }
        var items: [RLP] = []
        var inner = content
        while !inner.isEmpty {
            guard items.count < 17 else { throw .malformed("an RLP list has more items than a node") }
            items.append(try read(&inner, depth: depth + 1))
        }
        return .list(items, encoded: start.prefix(start.count - rest.count))
    }

    private static func length(_ rest: inout ArraySlice<UInt8>, bytes count: Int) throws(ProofError) -> Int {
        guard count <= 4, count <= rest.count else { throw cut }
        let digits = rest.prefix(count)
        rest = rest.dropFirst(count)
        let length = digits.reduce(0) { $0 << 8 | Int($1) }
        guard digits.first != 0, length >= 56 else { throw .malformed("an RLP length is longer than it need be") }
        return length
    }

    private static var cut: ProofError { .malformed("an RLP item is cut off") }
}
