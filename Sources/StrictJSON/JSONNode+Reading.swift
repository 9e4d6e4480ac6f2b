extension JSONNode {
    /// Objects and arrays inside each other, the outermost included.
    public static let maximumDepth = 16
    /// Values in one text.
    public static let maximumValues = 4096

    /// Reads a whole text.
    ///
    /// - Throws: ``StrictJSONError`` for anything but one value in well-formed UTF-8, a member given twice, a surrogate
    ///   without its pair, more than ``maximumDepth`` levels or ``maximumValues`` values.
    /// - Source: RFC 8259; RFC 7519 §4 leaves duplicate members to the reader.
    public init(reading bytes: [UInt8]) throws(StrictJSONError) {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw StrictJSONError("the text is not UTF-8")
        }
        var reader = NodeReader(bytes: bytes)
        self = try reader.document()
    }
}

/// A recursive reader; its recursion is bounded by the depth. The bytes are known to be UTF-8.
private struct NodeReader {
    let bytes: [UInt8]
    var position = 0
    var values = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(StrictJSONError) -> JSONNode {
        let node = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw malformed }
        return node
    }

    private mutating func value(depth: Int) throws(StrictJSONError) -> JSONNode {
        values += 1
        guard values <= JSONNode.maximumValues else { throw StrictJSONError("the text has too many values") }
        skipSpace()
        guard position < bytes.count else { throw malformed }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(StrictJSONError) -> JSONNode {
        guard depth <= JSONNode.maximumDepth else { throw Self.tooDeep }
        position += 1
        var members: [String: JSONNode] = [:]
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw malformed }
            let value = try value(depth: depth)
            guard members.updateValue(value, forKey: name) == nil else {
                throw StrictJSONError("a member is given twice")
            }
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw malformed }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(StrictJSONError) -> JSONNode {
        guard depth <= JSONNode.maximumDepth else { throw Self.tooDeep }
        position += 1
        var elements: [JSONNode] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            elements.append(try value(depth: depth))
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw malformed }
        return .array(elements)
    }

    private mutating func literal(_ word: String, _ node: JSONNode) throws(StrictJSONError) -> JSONNode {
        guard bytes[position...].starts(with: word.utf8) else { throw malformed }
        position += word.utf8.count
        return node
    }

    private mutating func number() throws(StrictJSONError) -> JSONNode {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func digits() throws(StrictJSONError) {
        let start = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        guard position > start else { throw malformed }
    }

    private mutating func string() throws(StrictJSONError) -> String {
        guard take(UInt8(ascii: "\"")) else { throw malformed }
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw malformed
            default: text.append(byte)
            }
        }
        throw malformed
    }

    private mutating func escape(into text: inout [UInt8]) throws(StrictJSONError) {
        guard position < bytes.count else { throw malformed }
        let kind = bytes[position]
        position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(kind)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try unit()
            if code & 0xfc00 == 0xd800 {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw malformed }
                let low = try unit()
                guard low & 0xfc00 == 0xdc00 else { throw malformed }
                code = 0x10000 + (code & 0x3ff) << 10 + low & 0x3ff
            }
            // A low surrogate alone is no scalar.
            guard let scalar = Unicode.Scalar(code) else { throw malformed }
            text.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw malformed
        }
    }

    private mutating func unit() throws(StrictJSONError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw malformed }
        var code: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard byte < 0x80, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw malformed }
            code = code << 4 | UInt32(digit)
        }
        position += 4
        return code
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[position]) { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private var malformed: StrictJSONError { StrictJSONError("the text is not JSON at byte \(position)") }
    private static var tooDeep: StrictJSONError {
        StrictJSONError("the text is nested deeper than \(JSONNode.maximumDepth) levels")
    }
}
