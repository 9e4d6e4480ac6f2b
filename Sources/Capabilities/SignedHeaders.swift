import Encodings

/// The headers of a request, by lower-case name; a repeated header holds each value.
///
/// A list, because a request has few and a verifier looks at two or three of them.
public struct SignedHeaders: Sendable, ExpressibleByDictionaryLiteral {
    private var fields: [(name: String, value: String)]

    /// - Parameter fields: Names in lower case.
    public init(_ fields: [(name: String, value: String)]) { self.fields = fields }

    // exact: names of fields are tokens, ASCII throughout.
    public init(_ headers: [String: [String]]) {
        fields = headers.flatMap { header in header.value.map { (header.key, $0) } }
    }

    public init(dictionaryLiteral elements: (String, [String])...) {
        fields = elements.flatMap { element in element.1.map { (element.0, $0) } }
    }

    public mutating func append(_ name: String, _ value: String) { fields.append((name, value)) }

    /// Whether there is such a header.
    public func contains(_ name: String) -> Bool { fields.contains { $0.name.isExactly(name) } }

    /// The value of a header that is there once; nil if it is absent or repeated.
    public func only(_ name: String) -> String? {
        var found: String?
        for field in fields where field.name.isExactly(name) {
            guard found == nil else { return nil }
            found = field.value
        }
        return found
    }

    /// Every value of a header; nil if it is absent.
    public subscript(name: String) -> [String]? {
        get {
            let values = fields.filter { $0.name.isExactly(name) }.map(\.value)
            return values.isEmpty ? nil : values
        }
        set {
            fields.removeAll { $0.name.isExactly(name) }
            for value in newValue ?? [] { fields.append((name, value)) }
        }
    }
}
