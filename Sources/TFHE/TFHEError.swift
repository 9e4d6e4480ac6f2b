/// Why a ciphertext or a key cannot be used. No message repeats what a secret decides; a caller that must distinguish cases uses
/// the code.
public struct TFHEError: Error, Sendable, Equatable, CustomStringConvertible {
    /// An open set: adding a code breaks no caller.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The bytes are cut off, too long, or have a field outside its bounds.
        public static let malformed = Code(rawValue: "tfhe-malformed")
        /// Another format, version or type than the one asked for; the message names both.
        public static let format = Code(rawValue: "tfhe-format")
        /// Known and not served: another scheme, another atomic pattern, a compressed form.
        public static let unsupported = Code(rawValue: "tfhe-unsupported")
        /// Well formed, and not made for this key: another length, modulus, order or number of blocks.
        public static let unfit = Code(rawValue: "tfhe-unfit")
        /// A client key that contradicts itself.
        public static let key = Code(rawValue: "tfhe-key")
        /// The noise is too large or a value exceeds its bound: the wrong key, or a damaged ciphertext.
        public static let noise = Code(rawValue: "tfhe-noise")
    }

    public var code: Code
    /// What failed, on which part, and what was expected.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }

    static func malformed(_ message: String) -> TFHEError { TFHEError(.malformed, message) }
    static func format(_ message: String) -> TFHEError { TFHEError(.format, message) }
    static func unsupported(_ message: String) -> TFHEError { TFHEError(.unsupported, message) }
    static func unfit(_ message: String) -> TFHEError { TFHEError(.unfit, message) }
    static func key(_ message: String) -> TFHEError { TFHEError(.key, message) }
}
