import Decryption
import GRPCCore

/// Statuses of refusals.
struct Statuses: Sendable {
    /// Whether every failure is ABORTED with the original's three texts.
    let isCompatible: Bool

    func error(_ error: DecryptionError) -> RPCError {
        guard isCompatible else { return RPCError(code: Self.code(error.kind), message: error.description) }
        switch error.kind {
        case .invalid: return RPCError(code: .aborted, message: "Invalid request")
        case .unauthenticated, .denied, .notFound, .alreadyExists, .precondition, .unimplemented:
            return RPCError(code: .aborted, message: "The request failed validation")
        case .exhausted, .unavailable, .late, .failed:
            return RPCError(code: .aborted, message: "Internal server error")
        }
    }

    /// For a message that was not read whole, or not understood.
    func unread(_ error: RPCError) -> RPCError {
        guard isCompatible else { return error }
        let isTheirs = error.code == .invalidArgument || error.code == .resourceExhausted
        return RPCError(code: .aborted, message: isTheirs ? "Invalid request" : "Internal server error")
    }

    private static func code(_ kind: DecryptionError.Kind) -> RPCError.Code {
        switch kind {
        case .invalid: .invalidArgument
        case .unauthenticated: .unauthenticated
        case .denied: .permissionDenied
        case .notFound: .notFound
        case .alreadyExists: .alreadyExists
        case .precondition: .failedPrecondition
        case .exhausted: .resourceExhausted
        case .unavailable: .unavailable
        case .unimplemented: .unimplemented
        case .late: .deadlineExceeded
        case .failed: .internalError
        }
    }
}
