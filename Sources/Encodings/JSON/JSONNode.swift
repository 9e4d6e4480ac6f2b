/// A JSON value that was read strictly (RFC 8259): no member is given twice, nothing is guessed.
///
/// For documents that strangers sign or that decide something, in which every member counts. A request's body, of which a
/// route wants a few members and may want them in locked memory, is read in place instead: see
/// ``JSONScanner/members(_:exactly:)``. Both have one grammar.
public enum JSONNode: Sendable {
    case null
    case bool(Bool)
    /// As it was written, such as `1732190400` or `1.5e3`; see ``wholeNumber``.
    case number(String)
    case string(String)
    case array([JSONNode])
    case object([ExactText: JSONNode])

    /// The member of that name; nil if there is none, if it is `null`, and if this is no object.
    public subscript(name: String) -> JSONNode? {
        guard case .object(let members) = self, let value = members[ExactText(name)] else { return nil }
        if case .null = value { return nil }
        return value
    }

    public var text: String? { if case .string(let text) = self { text } else { nil } }

    public var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }

    public var elements: [JSONNode]? { if case .array(let elements) = self { elements } else { nil } }

    /// A number written as an integer that fits; nil for a fraction, an exponent and every other value.
    public var wholeNumber: Int64? {
        guard case .number(let digits) = self else { return nil }
        return Int64(digits)
    }

    /// A number of any form as the nearest `Double`; nil for every other value and for one that is out of range.
    public var number: Double? {
        guard case .number(let digits) = self, let number = Double(digits), number.isFinite else { return nil }
        return number
    }
}
