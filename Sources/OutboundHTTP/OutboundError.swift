/// Why another server gave no answer.
public struct OutboundError: Error, Sendable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The address is none this daemon may call; nothing was sent.
        public static let addressRefused = Code(rawValue: "address-refused")
        /// The host's name has no address that may be called: there is no such name, it cannot be looked up, or it leads
        /// where the daemon must not call. Nothing was sent; which of them it is must not be told to who chose the name.
        public static let noAddress = Code(rawValue: "no-address")
        /// No connection, or no answer in time; it may pass.
        public static let unreachable = Code(rawValue: "unreachable")
        /// The server's certificate is not accepted.
        public static let certificateRefused = Code(rawValue: "certificate-refused")
        /// The answer is longer than is read, or no HTTP.
        public static let answerRefused = Code(rawValue: "answer-refused")
        /// The allow-list or a file of certificates cannot be used.
        public static let configurationRefused = Code(rawValue: "configuration-refused")
    }

    public var code: Code
    /// For the operator and, for a refused address, the caller; never a secret.
    public var message: String
    /// Of a file: whether its owner, mode or kind of name is the fault.
    public var isAboutRights: Bool

    public init(_ code: Code, _ message: String, isAboutRights: Bool = false) {
        self.code = code
        self.message = message
        self.isAboutRights = isAboutRights
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
