/// Why a text is not accepted as JSON. Repeats none of the text.
public struct StrictJSONError: Error, Sendable, Equatable, CustomStringConvertible {
    public var message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
