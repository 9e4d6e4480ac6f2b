/// Why a capability or its invocation was refused.
///
/// `malformed` answers 400, `unauthorized` 401, `exhausted` 503; the message is for the operator's log, never for the caller, who learns
/// only the word.
public struct CapabilityError: Error, Sendable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// The invocation header or the capability in it cannot be parsed.
        case malformed
        /// A signature, a proof, the chain, a caveat or the invoker does not hold.
        case unauthorized
        /// So many signatures of the keystore are remembered that another one cannot be.
        case exhausted
    }

    public let code: Code
    public let message: String

    public var description: String { "\(code): \(message)" }

    static func malformed(_ message: String) -> CapabilityError { CapabilityError(code: .malformed, message: message) }
    static func exhausted(_ message: String) -> CapabilityError { CapabilityError(code: .exhausted, message: message) }
    static func unauthorized(_ message: String) -> CapabilityError {
        CapabilityError(code: .unauthorized, message: message)
    }
}
