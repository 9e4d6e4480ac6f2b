/// Why something was not sealed or opened.
///
/// - Concurrency: a value.
public struct HybridSealingError: Error, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// The public key is none: a wrong length, a coefficient out of range, a point off the curve, a wrong check sum.
        case recipientRefused
        /// What was sealed does not open: for another key or another purpose, or altered. Nothing tells which.
        case doesNotOpen
        /// The libraries failed where the input cannot be the reason, or memory could not be locked.
        case internalFailure
    }

    public var code: Code
    public var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    static var doesNotOpen: HybridSealingError {
        HybridSealingError(.doesNotOpen, "What was sealed does not open with this key for this purpose.")
    }
}
