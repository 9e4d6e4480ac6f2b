/// Who a valid token speaks for.
public struct BearerIdentity: Sendable, Hashable {
    /// `user_id`, or `sub` if there is none; compared byte for byte.
    public var user: String
    /// Whether the token is a service's, which may act for any user.
    public var isService: Bool

    public init(user: String, isService: Bool = false) {
        self.user = user
        self.isService = isService
    }

    public static func == (left: BearerIdentity, right: BearerIdentity) -> Bool {
        left.isService == right.isService && left.user.utf8.elementsEqual(right.user.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        for byte in user.utf8 { hasher.combine(byte) }
        hasher.combine(isService)
    }
}

/// Checks JSON Web Tokens (RFC 7519).
///
/// - Concurrency: any number of calls at once.
public protocol BearerTokenVerifying: Sendable {
    /// - Parameter token: The compact form, without `Bearer`.
    func verify(_ token: String) async throws(BearerTokenError) -> BearerIdentity
}
