import Token

extension AnchorError {
    /// An anchor's record that the token does not take, or the token itself.
    static func from(_ error: HSMError, _ what: String) -> AnchorError {
        switch error.code {
        case .authenticationFailed, .keyMismatch:
            AnchorError(.damaged, "\(what): the record is damaged, or it is of another token.", cause: error)
        default:
            AnchorError(.tokenFailed, what, cause: error)
        }
    }

    static func wrongAnswer(_ why: String) -> AnchorError {
        AnchorError(.wrongAnswer, "The token's product is not the anchor's: \(why). Nothing of it was released.")
    }
}
