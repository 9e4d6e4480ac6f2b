/// Why a cryptographic operation gave no result.
///
/// - Concurrency: a value.
public struct LibCryptoError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is; new codes may be added.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A tag, signature or check value does not fit. Says nothing about which part was wrong.
        public static let authenticationFailed = Code(rawValue: "authenticationFailed")
        /// The caller's bytes have a wrong length, form or range.
        public static let invalidInput = Code(rawValue: "invalidInput")
        /// Locked memory for private keys is used up; closing keys gives it back.
        public static let capacityExceeded = Code(rawValue: "capacityExceeded")
        /// The library failed where the input cannot be the reason.
        public static let internalFailure = Code(rawValue: "internalFailure")
    }

    public var code: Code
    /// What failed and on what, for an operator; never key bytes.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
