/// Why another server gave no answer.
public struct OutboundError: Error, Sendable, CustomStringConvertible {
    /// An open set: new codes break nobody.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The address is none this daemon may call; nothing was sent.
        public static let addressRefused = Code(rawValue: "address-refused")
        /// No connection, no valid certificate, or no answer in time.
        public static let unreachable = Code(rawValue: "unreachable")
        /// The answer is longer than is read, or no HTTP.
        public static let answerRefused = Code(rawValue: "answer-refused")
        /// The allow-list or a file of certificates cannot be used.
        public static let configurationRefused = Code(rawValue: "configuration-refused")
    }

    public var code: Code
    /// For the operator and, for a refused address, the caller; never a secret.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
