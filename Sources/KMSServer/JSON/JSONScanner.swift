/// Reads one JSON object (RFC 8259) and remembers where the values of a few named members lie.
///
/// The whole text is checked: grammar, UTF-8, surrogate pairs, depth, nothing but white space behind the object. No
/// value is copied, so a body of any size costs one pass. Names match exactly or in another ASCII case, as the API's
/// original server does; a second member for the same name is refused, so that no two readers of a body can
/// disagree about it.
///
/// - Concurrency: a value; the bytes must outlive it.
struct JSONScanner {
    /// Objects and arrays inside each other, the outermost included.
    static let maximumDepth = 32

    let bytes: UnsafeRawBufferPointer
    /// Whether a name in another case than asked for is refused.
    private let exactly: Bool
    var position = 0

    init(_ bytes: UnsafeRawBufferPointer, exactly: Bool = false) {
        self.bytes = bytes
        self.exactly = exactly
    }

    /// Scans the whole text.
    ///
    /// - Parameter names: Lower-case ASCII names to look for.
    /// - Returns: One value per name, absent where the object does not have it.
    mutating func scan(_ names: [StaticString]) throws(JSONError) -> [JSONValue] {
        var values = [JSONValue](repeating: .absent, count: names.count)
        skipWhitespace()
        guard take(UInt8(ascii: "{")) else { throw position < bytes.count ? .notAnObject : malformed }
        skipWhitespace()
        if !take(UInt8(ascii: "}")) {
            repeat {
                skipWhitespace()
                let name = try string()
                skipWhitespace()
                guard take(UInt8(ascii: ":")) else { throw malformed }
                skipWhitespace()
                let value = try value(depth: 1)
                guard let index = index(of: name, in: names) else {
                    skipWhitespace()
                    continue
                }
                guard case .absent = values[index] else { throw JSONError("'\(names[index])' is given twice") }
                guard !exactly || isSpelled(name, names[index]) else {
                    throw JSONError("'\(names[index])' must be written so, in lower case")
                }
                values[index] = value
                skipWhitespace()
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "}")) else { throw malformed }
        }
        skipWhitespace()
        guard position == bytes.count else { throw malformed }
        return values
    }

    // MARK: Values

    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard position < bytes.count else { throw malformed }
        switch bytes[position] {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"), UInt8(ascii: "["): return try container(depth: depth + 1)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        default:
            let start = position
            try number()
            return .number(start..<position)
        }
    }

    private mutating func container(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= Self.maximumDepth else { throw .tooDeep }
        let start = position
        let isObject = bytes[position] == UInt8(ascii: "{")
        let end = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
        position += 1
        var onlyStrings = true
        skipWhitespace()
        if !take(end) {
            repeat {
                skipWhitespace()
                if isObject {
                    _ = try string()
                    skipWhitespace()
                    guard take(UInt8(ascii: ":")) else { throw malformed }
                    skipWhitespace()
                }
                if case .string = try value(depth: depth) {} else { onlyStrings = false }
                skipWhitespace()
            } while take(UInt8(ascii: ","))
            guard take(end) else { throw malformed }
        }
        return isObject ? .object(start..<position) : .array(start..<position, onlyStrings: onlyStrings)
    }

    private mutating func literal(_ text: StaticString) throws(JSONError) {
        for offset in 0..<text.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == text.utf8Start[offset] else { throw malformed }
            position += 1
        }
    }

    private mutating func number() throws(JSONError) {
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
    }

    private mutating func digits() throws(JSONError) {
        let start = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        guard position > start else { throw malformed }
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> JSONString {
        guard take(UInt8(ascii: "\"")) else { throw malformed }
        let start = position
        var isEscaped = false
        while true {
            skipPlainCharacters()
            guard position < bytes.count else { throw malformed }
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return JSONString(range: start..<position - 1, isEscaped: isEscaped)
            case UInt8(ascii: "\\"):
                isEscaped = true
                try escape()
            case 0..<0x20: throw malformed
            case 0x80...: try multibyteCharacter()
            default: position += 1
            }
        }
    }

    /// Moves over ASCII that needs no care, eight bytes at a time.
    private mutating func skipPlainCharacters() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while position + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5c)
            // A byte's high bit is set where the byte is a quote, a backslash, below 0x20 or above 0x7f. Borrows can
            // only raise false alarms in higher bytes, and the caller looks at each byte itself.
            let special =
                ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((word &- ones &* 0x20) & ~word)
                | word
            guard special & highs == 0 else { return }
            position += 8
        }
    }

    private mutating func escape() throws(JSONError) {
        guard position + 1 < bytes.count else { throw malformed }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            guard let unit = JSONString.hexadecimal(bytes, at: position + 2) else { throw malformed }
            if unit & 0xfc00 == 0xd800 {
                guard position + 7 < bytes.count, bytes[position + 6] == UInt8(ascii: "\\"),
                    bytes[position + 7] == UInt8(ascii: "u"),
                    let low = JSONString.hexadecimal(bytes, at: position + 8), low & 0xfc00 == 0xdc00
                else { throw malformed }
                position += 12
            } else {
                guard unit & 0xfc00 != 0xdc00 else { throw malformed }
                position += 6
            }
        default: throw malformed
        }
    }

    /// Well-formed UTF-8 as in the Unicode Standard, table 3-7.
    private mutating func multibyteCharacter() throws(JSONError) {
        let lead = bytes[position]
        var second: ClosedRange<UInt8> = 0x80...0xbf
        let length: Int
        switch lead {
        case 0xc2...0xdf: length = 2
        case 0xe0: (length, second) = (3, 0xa0...0xbf)
        case 0xed: (length, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: length = 3
        case 0xf0: (length, second) = (4, 0x90...0xbf)
        case 0xf4: (length, second) = (4, 0x80...0x8f)
        case 0xf1...0xf3: length = 4
        default: throw malformed
        }
        guard position + length <= bytes.count, second.contains(bytes[position + 1]) else { throw malformed }
        for offset in 2..<max(2, length) where bytes[position + offset] & 0xc0 != 0x80 { throw malformed }
        position += length
    }

    // MARK: Names and tokens

    private func isSpelled(_ name: JSONString, _ expected: StaticString) -> Bool {
        !name.isEscaped && name.range.count == expected.utf8CodeUnitCount
            && bytes[name.range].elementsEqual(
                UnsafeBufferPointer(start: expected.utf8Start, count: expected.utf8CodeUnitCount))
    }

    private func index(of name: JSONString, in names: [StaticString]) -> Int? {
        if name.isEscaped {
            let unescaped = name.unescaped(in: bytes)
            return unescaped.withUnsafeBytes { text in names.firstIndex { Self.matches(text, $0) } }
        }
        let text = UnsafeRawBufferPointer(rebasing: bytes[name.range])
        return names.firstIndex { Self.matches(text, $0) }
    }

    private static func matches(_ text: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        guard text.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<text.count {
            let byte = text[index]
            let lower = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
            if lower != name.utf8Start[index] { return false }
        }
        return true
    }

    mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
            default: return
            }
        }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    var malformed: JSONError { .malformed(at: position) }
}
