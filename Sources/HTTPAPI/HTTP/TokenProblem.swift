public import Token

/// Why the token cannot serve, as it may be told to anybody: it names no token, path or key.
public struct TokenProblem: Sendable, Equatable {
    /// Of a bounded set.
    public var code: String
    public var message: String

    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    /// Nil while the token serves.
    public init?(_ health: TokenHealth) {
        switch health {
        case .ready: return nil
        case .starting: self.init(code: "starting", message: "The token is being connected.")
        case .unavailable(let error), .refused(let error):
            // The words about a lockout name nothing but its time, those about a state only the registers' numbers.
            let isHarmless = error.code == .lockedOut || error.code == .pcrMismatch
            let message = isHarmless ? error.message : Self.text(error.code)
            self.init(code: error.code.rawValue, message: message)
        }
    }

    private static func text(_ code: HSMError.Code) -> String {
        switch code {
        case .tokenNotFound: "No token in the module matches the configured URI."
        case .tokenMismatch: "Another token than the provisioned one is there; give back the provisioned one."
        case .moduleRefused: "The token's module cannot be loaded; see the log."
        case .pinRefused: "The token refuses the PIN; correct the PIN file and restart."
        case .pinSourceRefused: "The PIN cannot be read safely; see the log."
        case .keyMissing: "A key of the daemon is missing on the token; see the log."
        case .keyMismatch: "A key on the token is not the provisioned one; see the log."
        case .configurationRefused: "The manifest, or a setting of the token, cannot be used; see the log."
        case .mechanismUnsupported: "The token's module does not do what the daemon's keys need; see the log."
        case .deviceFailure: "The token reports a failure; see the log."
        default: "The token does not answer; it is tried again."
        }
    }
}
