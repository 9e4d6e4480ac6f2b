/// What of an HTTP request a message signature may cover.
public struct MessageRequest: Sendable {
    public var method: String
    /// Absolute: the public base URL and the request's path and query exactly as sent.
    public var targetURI: String
    /// Other ways in which a client may write the same target, such as without its scheme's own port.
    public var otherSpellings: [String] = []
    /// Values by lower-case name; a repeated field holds each value.
    // exact: names of fields are tokens (RFC 9110 section 5.6.2), ASCII throughout.
    public var fields: [String: [String]]
    public var body: [UInt8]

    // exact: names of fields are tokens, ASCII throughout.
    public init(method: String, targetURI: String, fields: [String: [String]], body: [UInt8]) {
        self.method = method
        self.targetURI = targetURI
        self.fields = fields
        self.body = body
    }

    /// The one value of a field; nil if it is absent or repeated.
    func single(_ name: String) -> String? {
        guard let values = fields[name], values.count == 1 else { return nil }
        return values.first
    }
}
