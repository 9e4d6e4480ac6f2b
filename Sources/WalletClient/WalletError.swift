/// Why a wallet's key, hash or signature cannot be used. Messages never repeat what they refuse.
public struct WalletError: Error, Sendable, Equatable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The input is not what the message says it should be.
        public static let invalidInput = Code(rawValue: "invalid-input")
        /// Signatures do not add up to one of the key that was named.
        public static let doesNotVerify = Code(rawValue: "does-not-verify")
        /// No locked memory, or a library failed.
        public static let internalFailure = Code(rawValue: "internal-failure")
    }

    public let code: Code
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
