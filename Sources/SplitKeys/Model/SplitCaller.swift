public import Encodings

/// Who asks, as a verified token says.
public struct SplitCaller: Sendable {
    /// Longest user id in bytes.
    public static let longestUser = 256

    public var user: ExactText
    /// Whether the token may act for any user.
    public var isService: Bool
    /// The token itself, for the request to the other role's server; never logged.
    public var token: String
    public var requestID: String

    /// - Throws: `.invalidArgument` for a user id that is no name (``NamingText``).
    public init(user: ExactText, isService: Bool, token: String, requestID: String) throws(SplitKeyError) {
        self.user = try Self.check(user, "the token's user id")
        self.isService = isService
        self.token = token
        self.requestID = requestID
    }

    /// The one rule for names of users, wherever they come from.
    ///
    /// - Throws: `.invalidArgument`, naming `operand`.
    public static func check(_ user: ExactText, _ operand: String) throws(SplitKeyError) -> ExactText {
        if let problem = NamingText.problem(user.text, limit: longestUser) { throw .invalid("\(operand) \(problem)") }
        return user
    }
}
