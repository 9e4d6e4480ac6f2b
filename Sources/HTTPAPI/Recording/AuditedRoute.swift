/// How the audit chain names a request.
struct AuditedRoute: Equatable {
    /// Of a request that is not recorded.
    static let none = AuditedRoute(operation: "", kind: .look, subject: "")

    enum Kind {
        /// Makes, gives out or ends something.
        case change
        /// Shows what there is.
        case look
        /// Uses a key.
        case use
    }

    var operation: String
    var kind: Kind
    /// Keystore, or keystore and key; empty for all keystores.
    var subject: String
    /// Whether the record is about what was made, if something was, and not about ``subject``.
    var isAboutMade = true
}
