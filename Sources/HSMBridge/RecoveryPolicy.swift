import Token

/// What to do about a failed operation. Pure; one row for each kind of return value.
enum RecoveryPolicy {
    enum Decision: Sendable {
        /// Once more, on a new session.
        case retry
        /// The login generation is over: connect again, then once more.
        case renew
        /// The token is gone: refuse requests and reconnect.
        case lost(HSMError)
        /// Input or device: ask the sentinel; if it opens, do the other decision.
        case askSentinel(otherwise: Fallback)
        case fail(HSMError)
    }

    /// What a failure means once the sentinel proves that the token works.
    enum Fallback: Sendable {
        case retry
        case fail(HSMError)
    }

    /// Attempts of one request, the first included.
    static let attemptLimit = 3

    /// - Parameter attempts: How many attempts came before the failed one.
    static func decide(_ error: HSMError, attempts: Int) -> Decision {
        guard let value = error.returnValue, let function = error.cause?.function else { return .fail(error) }
        let mayRetry = attempts + 1 < attemptLimit
        switch value.recovery {
        case .retrySession: return mayRetry ? .retry : .fail(error)
        case .reResolve, .reLogin: return mayRetry ? .renew : .fail(error)
        case .reconnect: return .lost(.outOfReach(error))
        case .inputOrDevice:
            // SoftHSM 2.6.1 reports a bad tag and a damaged blob as CKR_GENERAL_ERROR: the input's fault, unless the
            // token fails to open what is known to be good.
            if opensInput(function) { return .askSentinel(otherwise: .fail(.notAuthentic)) }
            return .askSentinel(otherwise: attempts == 0 ? .retry : .fail(error))
        case .shed:
            return .fail(HSMError(.overloaded, error.message, cause: error.cause))
        case .operator, .fatal: return .fail(error)
        }
    }

    private static func opensInput(_ function: String) -> Bool {
        // exact: this program names its own calls.
        function == "C_Decrypt" || function == "C_UnwrapKey"
    }
}
