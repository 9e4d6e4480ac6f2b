import GRPCCore

/// Reads the DER of generations GA and GB back, strictly and with none of the writer's code.
struct WireReader {
    var rest: ArraySlice<UInt8>

    /// The content of an element with this tag.
    mutating func content(_ tag: UInt8) throws(FuzzFinding) -> [UInt8] {
        try claim(rest.popFirst() == tag, "an element of another kind than \(tag)")
        guard let first = rest.popFirst() else { throw FuzzFinding("an element without a length") }
        var length = Int(first)
        if first >= 0x80 {
            let count = Int(first & 0x7F)
            try claim(count >= 1 && count <= 4 && count <= rest.count && rest.first != 0, "a length of a wrong form")
            length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(count)
            try claim(length >= 0x80, "a length in a longer form than need be")
        }
        try claim(length <= rest.count, "an element that is cut off")
        defer { rest = rest.dropFirst(length) }
        return Array(rest.prefix(length))
    }

    mutating func sequence() throws(FuzzFinding) -> WireReader { WireReader(rest: try content(0x30)[...]) }
    mutating func octets() throws(FuzzFinding) -> [UInt8] { try content(0x04) }

    /// A number, not negative, in its shortest form.
    mutating func number() throws(FuzzFinding) -> UInt64 {
        let digits = try content(0x02)
        guard let first = digits.first else { throw FuzzFinding("a number without digits") }
        try claim(first < 0x80, "a negative number")
        try claim(digits.count == 1 || first != 0 || digits[1] >= 0x80, "a number in a longer form than need be")
        return digits.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A sequence of one number for each byte.
    mutating func vector() throws(FuzzFinding) -> [UInt8] {
        var items = try sequence()
        var bytes: [UInt8] = []
        while !items.rest.isEmpty {
            let number = try items.number()
            try claim(number < 256, "a number that is no byte")
            bytes.append(UInt8(truncatingIfNeeded: number))
        }
        return bytes
    }

    func end() throws(FuzzFinding) { try claim(rest.isEmpty, "\(rest.count) bytes too many") }
}

/// An input cut into pieces, each behind its length in one byte; at the end there is nothing more.
struct Pieces {
    var rest: ArraySlice<UInt8>

    mutating func next() -> [UInt8] {
        guard let length = rest.popFirst() else { return [] }
        defer { rest = rest.dropFirst(Int(length)) }
        return Array(rest.prefix(Int(length)))
    }

    /// Big-endian, of the last four bytes of a piece.
    mutating func number() -> UInt32 { next().suffix(4).reduce(0) { $0 << 8 | UInt32($1) } }
}

/// Bytes as the transport hands them to a reader of messages.
struct FuzzBytes: GRPCContiguousBytes {
    var bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }
    init(repeating byte: UInt8, count: Int) { bytes = [UInt8](repeating: byte, count: count) }
    init<Bytes: Sequence>(_ sequence: Bytes) where Bytes.Element == UInt8 { bytes = Array(sequence) }
    var count: Int { bytes.count }
    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try bytes.withUnsafeBytes(body)
    }
    mutating func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
        try bytes.withUnsafeMutableBytes(body)
    }
}
