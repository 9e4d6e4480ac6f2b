/// Reads one JSON text (RFC 8259) and remembers where its values lie: the one grammar behind ``JSONNode``, which copies
/// a whole text, and ``members(_:exactly:)``, which copies nothing.
///
/// The whole text is checked: grammar, UTF-8, surrogate pairs, depth, nothing but white space behind the value. Its
/// recursion is bounded by the depth.
///
/// - Concurrency: a value; the bytes must outlive it.
package struct JSONScanner {
    /// Objects and arrays inside each other in the body of a request, the outermost included.
    package static let maximumDepth = 32

    let bytes: UnsafeRawBufferPointer
    let maximumDepth: Int
    /// Whether what is inside strings, and what lies deeper than ``maximumDepth``, is only passed over: for finding the parts
    /// of a text that are then read one by one, so that what is wrong with one stays with it.
    let onlyFindsParts: Bool
    var position = 0

    package init(
        _ bytes: UnsafeRawBufferPointer, maximumDepth: Int = Self.maximumDepth, onlyFindsParts: Bool = false
    ) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
        self.onlyFindsParts = onlyFindsParts
    }

    // MARK: Values

    mutating func value(depth: Int) throws(StrictJSONError) -> JSONValue {
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
        default: return .number(try number())
        }
    }

    private mutating func container(depth: Int) throws(StrictJSONError) -> JSONValue {
        let start = position
        if onlyFindsParts, depth > maximumDepth {
            let isObject = bytes[position] == UInt8(ascii: "{")
            try skipBrackets()
            return isObject ? .object(start..<position) : .array(start..<position, onlyStrings: false)
        }
        if bytes[position] == UInt8(ascii: "{") {
            try object(depth: depth) { scanner, _ throws(StrictJSONError) in _ = try scanner.value(depth: depth) }
            return .object(start..<position)
        }
        var onlyStrings = true
        try array(depth: depth) { scanner throws(StrictJSONError) in
            if case .string = try scanner.value(depth: depth) {} else { onlyStrings = false }
        }
        return .array(start..<position, onlyStrings: onlyStrings)
    }

    /// Moves behind the bracket that closes the one here, without looking at the grammar between them.
    private mutating func skipBrackets() throws(StrictJSONError) {
        var open = 0
        repeat {
            guard position < bytes.count else { throw malformed }
            switch bytes[position] {
            case UInt8(ascii: "\""):
                _ = try string()
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): open += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): open -= 1
            default: break
            }
            position += 1
        } while open > 0
    }

    /// - Parameter member: Reads a value; its name is before it.
    @inline(__always)
    mutating func object(
        depth: Int, _ member: (inout Self, JSONString) throws(StrictJSONError) -> Void
    ) throws(StrictJSONError) {
        try list(UInt8(ascii: "{"), UInt8(ascii: "}"), depth: depth) { scanner throws(StrictJSONError) in
            let name = try scanner.string()
            scanner.skipWhitespace()
            guard scanner.take(UInt8(ascii: ":")) else { throw scanner.malformed }
            scanner.skipWhitespace()
            try member(&scanner, name)
        }
    }

    /// - Parameter element: Reads a value.
    @inline(__always)
    mutating func array(
        depth: Int, _ element: (inout Self) throws(StrictJSONError) -> Void
    ) throws(StrictJSONError) {
        try list(UInt8(ascii: "["), UInt8(ascii: "]"), depth: depth, element)
    }

    @inline(__always)
    private mutating func list(
        _ opening: UInt8, _ closing: UInt8, depth: Int, _ item: (inout Self) throws(StrictJSONError) -> Void
    ) throws(StrictJSONError) {
        guard depth <= maximumDepth else { throw .tooDeep(limit: maximumDepth) }
        guard take(opening) else { throw malformed }
        skipWhitespace()
        if take(closing) { return }
        repeat {
            skipWhitespace()
            try item(&self)
            skipWhitespace()
        } while take(UInt8(ascii: ","))
        guard take(closing) else { throw malformed }
    }

    private mutating func literal(_ text: StaticString) throws(StrictJSONError) {
        for offset in 0..<text.utf8CodeUnitCount {
            guard take(text.utf8Start[offset]) else { throw malformed }
        }
    }

    private mutating func number() throws(StrictJSONError) -> Range<Int> {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        return start..<position
    }

    private mutating func digits() throws(StrictJSONError) {
        let start = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        guard position > start else { throw malformed }
    }

    // MARK: Between values

    mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
            default: return
            }
        }
    }

    /// Refuses anything but white space behind the value.
    mutating func finish() throws(StrictJSONError) {
        skipWhitespace()
        guard position == bytes.count else { throw malformed }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    var malformed: StrictJSONError { .malformed(at: position) }
}
