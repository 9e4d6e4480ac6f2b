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
        self = try bytes.withUnsafeBufferPointer { bytes throws(StrictJSONError) in
            var scanner = JSONScanner(UnsafeRawBufferPointer(bytes), maximumDepth: Self.maximumDepth)
            var values = 0
            let node = try scanner.node(depth: 0, values: &values)
            try scanner.finish()
            return node
        }
    }
}

extension JSONScanner {
    /// - Parameter values: Counts them.
    fileprivate mutating func node(depth: Int, values: inout Int) throws(StrictJSONError) -> JSONNode {
        values += 1
        guard values <= JSONNode.maximumValues else { throw .tooManyValues(limit: JSONNode.maximumValues) }
        skipWhitespace()
        guard position < bytes.count else { throw malformed }
        switch bytes[position] {
        case UInt8(ascii: "{"):
            var members: [ExactText: JSONNode] = [:]
            try object(depth: depth + 1) { scanner, name throws(StrictJSONError) in
                let node = try scanner.node(depth: depth + 1, values: &values)
                guard members.updateValue(node, forKey: ExactText(name.text(in: scanner.bytes))) == nil else {
                    throw .memberTwice(nil)
                }
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONNode] = []
            try array(depth: depth + 1) { scanner throws(StrictJSONError) in
                elements.append(try scanner.node(depth: depth + 1, values: &values))
            }
            return .array(elements)
        default: return leaf(try value(depth: depth))
        }
    }

    private func leaf(_ value: JSONValue) -> JSONNode {
        switch value {
        case .bool(let flag): .bool(flag)
        case .number(let range): .number(String(decoding: bytes[range], as: UTF8.self))
        case .string(let string): .string(string.text(in: bytes))
        case .null: .null
        case .absent, .array, .object: preconditionFailure("only a value without values in it is a leaf")
        }
    }
}
