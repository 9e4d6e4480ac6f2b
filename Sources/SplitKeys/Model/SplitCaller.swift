/// Who asks, as a verified token says.
public struct SplitCaller: Sendable {
    /// Longest user id in bytes.
    public static let longestUser = 256

    /// Compared byte for byte.
    public var user: String
    /// Whether the token may act for any user.
    public var isService: Bool
    /// The token itself, for the request to the other role's server; never logged.
    public var token: String
    public var requestID: String

    /// - Throws: `.invalidArgument` for an empty or over-long user id.
    public init(user: String, isService: Bool, token: String, requestID: String) throws(SplitKeyError) {
        guard !user.isEmpty, user.utf8.count <= Self.longestUser else {
            throw .invalid("the token's user id must have 1 to \(Self.longestUser) bytes")
        }
        self.user = user
        self.isService = isService
        self.token = token
        self.requestID = requestID
    }
}
