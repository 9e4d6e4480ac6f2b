/// What a request needs before it is served.
enum Authority: Equatable {
    /// No capability exists yet; the administration guard, if there is one, decides.
    case createKeystore
    /// A route of our own: no capability names such an action, so the administration guard decides.
    case manage
    /// What guards the keystores must allow this action.
    case keystore(action: String, keystore: String)
}
