import Encodings

/// What a node is asked, by the URI form of CometBFT's RPC.
struct NodeQuestion {
    var path: String
    /// As they came, quotes taken away.
    var parameters: [(name: String, value: String)]

    func text(_ name: String) -> String? { parameters.first { $0.name.isExactly(name) }?.value }

    /// - Throws: If it is there and is no number of the range.
    func number(_ name: String, in range: ClosedRange<Int64>) throws -> Int64? {
        guard let text = text(name) else { return nil }
        guard let number = Int64(text), range.contains(number) else { throw Malformed(name: name) }
        return number
    }

    /// Bytes in hexadecimal, with 0x before them or not.
    func hex(_ name: String, counts: ClosedRange<Int>) throws -> [UInt8]? {
        guard let text = text(name) else { return nil }
        let digits = text.startsExactly(with: "0x") ? String(text.dropFirst(2)) : text
        guard let bytes = Hexadecimal.decode(digits, .either), counts.contains(bytes.count) else {
            throw Malformed(name: name)
        }
        return bytes
    }

    struct Malformed: Error { var name: String }
}
