/// Why a vault was not used, or did not do what it was asked.
public struct EDVError: Error, Sendable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The vault's address or capability is none that can be used; nothing was sent.
        public static let invalidArgument = Code(rawValue: "invalidArgument")
        /// The vault's server gave no answer in time, or none that is HTTP of a bounded size.
        public static let unreachable = Code(rawValue: "unreachable")
        /// The vault's server answered that the capability does not allow the call (401, 403).
        public static let unauthorized = Code(rawValue: "unauthorized")
        /// The vault's server answered with another status than the call allows.
        public static let refused = Code(rawValue: "refused")
        /// A document was changed, belongs to another key or keystore, or is no document.
        public static let damaged = Code(rawValue: "damaged")
        /// A defect of ours, or no memory.
        public static let internalFailure = Code(rawValue: "internalFailure")
    }

    public var code: Code
    /// For the caller: names the operand and the remedy, repeats nothing that the server said.
    public var message: String
    /// Whether the same call may succeed in a moment.
    public var isPassing: Bool

    public init(_ code: Code, _ message: String, isPassing: Bool = false) {
        self.code = code
        self.message = message
        self.isPassing = isPassing
    }

    public var description: String { "\(code.rawValue): \(message)" }

    static func damaged(_ reason: String) -> EDVError {
        EDVError(.damaged, "A document in the vault was not used: \(reason).")
    }
}
