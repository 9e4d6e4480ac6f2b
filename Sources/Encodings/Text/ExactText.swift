import Glibc

/// A text that says who somebody is or what is meant, compared byte for byte.
///
/// `String` takes texts for equal whose characters are canonically equivalent: `e` with an accent of its own and `é`, the
/// Kelvin sign and `K`. Two users, hosts or key names may differ in nothing else, so such texts are compared, hashed,
/// ordered and taken apart by their UTF-8; see `scripts/lint-texts`.
public struct ExactText: Sendable, CustomStringConvertible, ExpressibleByStringLiteral, ExpressibleByStringInterpolation
{
    public let text: String

    @inlinable public init(_ text: some StringProtocol) { self.text = String(text) }

    @inlinable public init(_ text: String) { self.text = text }

    public init(stringLiteral text: String) { self.text = text }

    public var utf8: String.UTF8View { text.utf8 }

    public var isEmpty: Bool { text.isEmpty }

    public var description: String { text }
}

extension ExactText: Hashable {
    public static func == (left: ExactText, right: ExactText) -> Bool { left.text.isExactly(right.text) }

    /// With a terminator, which UTF-8 never holds, so that neighbours do not run into each other.
    public func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }

    public static func == (left: ExactText, right: String) -> Bool { left.text.isExactly(right) }
    public static func == (left: String, right: ExactText) -> Bool { left.isExactly(right.text) }
    public static func != (left: ExactText, right: String) -> Bool { !left.text.isExactly(right) }
    public static func != (left: String, right: ExactText) -> Bool { !left.isExactly(right.text) }
}

extension ExactText: Comparable {
    /// Byte order, which for UTF-8 is that of code points.
    public static func < (left: ExactText, right: ExactText) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}

extension ExactText: CodingKeyRepresentable {
    /// A dictionary by such texts is an object in JSON, as one by `String`.
    public var codingKey: any CodingKey { Key(stringValue: text) }

    public init?(codingKey: some CodingKey) { self.init(codingKey.stringValue) }

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

extension ExactText: Codable {
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

// Generic over what holds a text, so inlinable: other targets are given no special form of them else.

extension StringProtocol {
    /// Whether both texts have the very same bytes.
    @inlinable public func isExactly(_ other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }

    /// Whether the text begins with the bytes of `prefix`, whatever follows them: an accent joins no delimiter.
    @inlinable public func startsExactly(with prefix: some StringProtocol) -> Bool { utf8.starts(with: prefix.utf8) }

    /// Whether the text ends with the bytes of `suffix`.
    @inlinable public func endsExactly(with suffix: some StringProtocol) -> Bool {
        utf8.reversed().starts(with: suffix.utf8.reversed())
    }

    /// What follows the bytes of `prefix`; nil if the text begins otherwise.
    @inlinable public func removing(exactPrefix prefix: some StringProtocol) -> Substring? {
        guard startsExactly(with: prefix) else { return nil }
        return Substring(Substring(self).utf8.dropFirst(prefix.utf8.count))
    }

    /// Whether an ASCII character stands in the text, also before an accent that would join it.
    @inlinable public func containsExactly(_ character: Unicode.Scalar) -> Bool {
        utf8.contains(UInt8(ascii: character))
    }

    /// The parts between ASCII characters, also where an accent follows one, and between the halves of a CR LF.
    @inlinable public func splitExactly(
        at character: Unicode.Scalar, maxSplits: Int = .max, omittingEmpty: Bool = false
    ) -> [Substring] {
        Substring(self).utf8.split(
            separator: UInt8(ascii: character), maxSplits: maxSplits, omittingEmptySubsequences: omittingEmpty
        ).map { Substring($0) }
    }

    /// A to Z in lower case and nothing else: Unicode's own rule makes a `k` of the Kelvin sign.
    @inlinable public func asciiLowercased() -> String {
        String(decoding: utf8.map { $0 &- UInt8(ascii: "A") < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// a to z in upper case and nothing else: Unicode's own rule makes an `S` of the long s.
    @inlinable public func asciiUppercased() -> String {
        String(decoding: utf8.map { $0 &- UInt8(ascii: "a") < 26 ? $0 & 0xDF : $0 }, as: UTF8.self)
    }

    /// Without the spaces and tabs at both ends.
    @inlinable public func trimmingBlanks() -> Substring {
        var text = Substring(self).utf8
        while let first = text.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") { text.removeFirst() }
        while let last = text.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") { text.removeLast() }
        return Substring(text)
    }
}

extension String {
    /// Whether both texts have the very same bytes.
    public func isExactly(_ other: String) -> Bool {
        let (left, right) = (utf8, other.utf8)
        guard left.count == right.count else { return false }
        let isSame = left.withContiguousStorageIfAvailable { left in
            right.withContiguousStorageIfAvailable { right in
                guard let first = left.baseAddress, let second = right.baseAddress else { return true }
                return memcmp(first, second, left.count) == 0
            }
        }
        return (isSame ?? nil) ?? left.elementsEqual(right)
    }
}

extension RawRepresentable where RawValue == String {
    /// The case of that very name; a name with the Kelvin sign for a `K` is another.
    @inlinable public init?(exactly name: some StringProtocol) {
        self.init(rawValue: String(name))
        guard rawValue.isExactly(name) else { return nil }
    }
}

extension Sequence where Element: StringProtocol {
    /// Whether one of the texts has the very same bytes.
    @inlinable public func containsExactly(_ text: some StringProtocol) -> Bool { contains { $0.isExactly(text) } }
}
