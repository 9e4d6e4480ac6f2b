/// Reads back what `RecordFields` wrote; strict, bounded, never traps.
public struct FieldReader: Sendable {
    private var rest: ArraySlice<UInt8>

    public init(_ bytes: [UInt8]) { rest = bytes[...] }

    public var isAtEnd: Bool { rest.isEmpty }

    /// The next field; nil if there is no whole one.
    public mutating func bytes() -> [UInt8]? {
        guard rest.count >= 4 else { return nil }
        let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard rest.count - 4 >= length else { return nil }
        let field = rest.dropFirst(4).prefix(length)
        rest = rest.dropFirst(4 + length)
        return Array(field)
    }

    /// The next field, if it has exactly `count` bytes.
    public mutating func bytes(_ count: Int) -> [UInt8]? { bytes().flatMap { $0.count == count ? $0 : nil } }

    /// The next field, if it is well-formed UTF-8.
    public mutating func text() -> String? { bytes().flatMap { String(validating: $0, as: UTF8.self) } }

    /// The next field, if it is a number field.
    public mutating func number() -> UInt64? { bytes(8)?.reduce(0) { $0 << 8 | UInt64($1) } }
}
