import Encodings

/// What the other server answered, whatever its status.
public struct OutboundAnswer: Sendable {
    public var status: Int
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first field of that name, compared without case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.asciiLowercased().isExactly(name.asciiLowercased()) }?.value
    }
}
