import Encodings

/// Finds the keys in the text of a key set without judging what is in them, so that what is wrong with one stays with it:
/// half a surrogate pair, bytes that are no UTF-8, an escape that JSON has not, a thousand levels.
///
/// Only the frame is held to the grammar of RFC 8259: the outer object, the names in it, the list and its commas. One pass,
/// no recursion.
struct KeySetFrame {
    /// Why no keys are found.
    enum Problem: Error, Equatable {
        case noList
        case twoLists
        case malformed(at: Int)
    }

    private let bytes: ArraySlice<UInt8>
    private var position: Int

    /// The text of each element of the member `keys`, whatever it is.
    static func keys(in body: [UInt8]) throws(Problem) -> [ArraySlice<UInt8>] {
        var frame = KeySetFrame(body)
        return try frame.keys()
    }

    private init(_ body: [UInt8]) {
        // RFC 8259 §8.1: a mark of the byte order may be ignored.
        bytes = body.starts(with: [0xEF, 0xBB, 0xBF]) ? body[3...] : body[...]
        position = bytes.startIndex
    }

    private mutating func keys() throws(Problem) -> [ArraySlice<UInt8>] {
        skipBlanks()
        guard take("{") else { throw .noList }
        var found: [ArraySlice<UInt8>]?
        skipBlanks()
        if !take("}") {
            repeat {
                skipBlanks()
                let name = position
                try string()
                let isList = Self.isKeys(bytes[name..<position])
                skipBlanks()
                guard take(":") else { throw malformed }
                skipBlanks()
                guard isList else {
                    try value()
                    skipBlanks()
                    continue
                }
                guard found == nil else { throw .twoLists }
                found = try list()
                skipBlanks()
            } while take(",")
            guard take("}") else { throw malformed }
        }
        skipBlanks()
        guard position == bytes.endIndex else { throw malformed }
        guard let found else { throw .noList }
        return found
    }

    /// Other members may have any name (RFC 7517 §5); this one may be written with escapes.
    private static func isKeys(_ name: ArraySlice<UInt8>) -> Bool {
        (try? JSONNode(reading: Array(name)))?.text?.isExactly("keys") ?? false
    }

    private mutating func list() throws(Problem) -> [ArraySlice<UInt8>] {
        guard take("[") else { throw .noList }
        var elements: [ArraySlice<UInt8>] = []
        skipBlanks()
        if take("]") { return elements }
        repeat {
            skipBlanks()
            let start = position
            try value()
            elements.append(bytes[start..<position])
            skipBlanks()
        } while take(",")
        guard take("]") else { throw malformed }
        return elements
    }

    // MARK: Passing over

    /// A string, everything between brackets, or what is neither up to the next sign of the frame.
    private mutating func value() throws(Problem) {
        let start = position
        var depth = 0
        while position < bytes.endIndex {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                try string()
                if depth == 0, bytes[start] == UInt8(ascii: "\"") { return }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return try nonempty(start) }
                depth -= 1
                position += 1
                if depth == 0 { return }
            case UInt8(ascii: ",") where depth == 0: return try nonempty(start)
            default: position += 1
            }
        }
        throw malformed
    }

    private func nonempty(_ start: Int) throws(Problem) { if start == position { throw malformed } }

    private mutating func string() throws(Problem) {
        guard take("\"") else { throw malformed }
        while position < bytes.endIndex {
            let byte = bytes[position]
            // What an escape stands for does not matter here, only that a quote behind a backslash is none.
            position += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return }
        }
        position = min(position, bytes.endIndex)
        throw malformed
    }

    private mutating func skipBlanks() {
        while position < bytes.endIndex {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
            default: return
            }
        }
    }

    private mutating func take(_ sign: Unicode.Scalar) -> Bool {
        guard position < bytes.endIndex, bytes[position] == UInt8(ascii: sign) else { return false }
        position += 1
        return true
    }

    private var malformed: Problem { .malformed(at: position) }
}
