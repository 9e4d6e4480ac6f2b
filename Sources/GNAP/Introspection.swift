/// What the authorization server says about a token that is active.
struct Introspection: Sendable {
    let key: ClientKey
    /// Whom the token speaks for; nil if the server does not say.
    let subject: String?
}
