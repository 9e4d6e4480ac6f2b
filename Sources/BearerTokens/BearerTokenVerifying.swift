public import Encodings

/// Who a valid token speaks for.
public struct BearerIdentity: Sendable, Hashable {
    /// `user_id`, or `sub` if there is none.
    public var user: ExactText
    /// Whether the token is a service's, which may act for any user.
    public var isService: Bool

    public init(user: ExactText, isService: Bool = false) {
        self.user = user
        self.isService = isService
    }
}

/// Checks JSON Web Tokens (RFC 7519).
///
/// - Concurrency: any number of calls at once.
public protocol BearerTokenVerifying: Sendable {
    /// - Parameter token: The compact form, without `Bearer`.
    func verify(_ token: String) async throws(BearerTokenError) -> BearerIdentity
}
