/// Why something of a TrustBloc store cannot be taken over. The message never holds a secret.
public struct TrustBlocError: Error, Sendable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// Not of the documented form.
        public static let damaged = Code(rawValue: "damaged")
        /// No given lock opens it.
        public static let locked = Code(rawValue: "locked")
        /// A kind of key this daemon does not serve.
        public static let unsupported = Code(rawValue: "unsupported")
        /// No locked memory, or the cryptographic library failed.
        public static let internalFailure = Code(rawValue: "internal-failure")
    }

    public var code: Code
    public var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    static let damaged = TrustBlocError(.damaged, "the record is not of the documented form")

    public var description: String { "\(code.rawValue): \(message)" }
}
