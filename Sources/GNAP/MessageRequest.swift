/// What of an HTTP request a message signature may cover.
public struct MessageRequest: Sendable {
    public var method: String
    /// Absolute: the public base URL and the request's path and query exactly as sent.
    public var targetURI: String
    /// Values by lower-case name; a repeated field holds each value.
    public var fields: [String: [String]]
    public var body: [UInt8]

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
