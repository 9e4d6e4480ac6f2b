/// Reads the DER that generations GA and GB write: whole, in the shortest form, and nothing else.
///
/// Source: X.690, section 10.
struct DERReader {
    enum Tag: UInt8 {
        case integer = 0x02
        case octets = 0x04
        case sequence = 0x30
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    /// The content of the next element.
    mutating func next(_ tag: Tag) throws(ClientError) -> ArraySlice<UInt8> {
        guard rest.first == tag.rawValue, let first = rest.dropFirst().first else { throw Self.malformed }
        rest = rest.dropFirst(2)
        var length = Int(first)
        if first >= 0x80 {
            let count = Int(first & 0x7F)
            guard 1...4 ~= count, rest.count >= count, rest.first != 0 else { throw Self.malformed }
            length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            guard length >= 0x80 else { throw Self.malformed }
            rest = rest.dropFirst(count)
        }
        guard rest.count >= length else { throw Self.malformed }
        defer { rest = rest.dropFirst(length) }
        return rest.prefix(length)
    }

    mutating func sequence() throws(ClientError) -> DERReader { DERReader(try next(.sequence)) }

    /// A non-negative number's digits, big-endian.
    mutating func number() throws(ClientError) -> [UInt8] {
        let content = try next(.integer)
        guard let first = content.first, first < 0x80 else { throw Self.malformed }
        guard first == 0, content.count > 1 else { return Array(content) }
        let digits = content.dropFirst()
        guard let second = digits.first, second >= 0x80 else { throw Self.malformed }
        return Array(digits)
    }

    /// Bytes that are written as one number each.
    mutating func vector() throws(ClientError) -> [UInt8] {
        var numbers = try sequence()
        var bytes: [UInt8] = []
        while !numbers.isAtEnd {
            let number = try numbers.number()
            guard number.count == 1 else { throw Self.malformed }
            bytes.append(number[0])
        }
        return bytes
    }

    mutating func octets(_ count: Int) throws(ClientError) -> [UInt8] {
        let content = try next(.octets)
        guard content.count == count else { throw Self.malformed }
        return Array(content)
    }

    /// The number of a type: four bytes, little-endian.
    mutating func type() throws(ClientError) -> UInt32 {
        try octets(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    func end() throws(ClientError) { if !isAtEnd { throw Self.malformed } }

    private static let malformed = ClientError(
        "malformed-answer", "the answer is not in the DER that its service writes")
}
