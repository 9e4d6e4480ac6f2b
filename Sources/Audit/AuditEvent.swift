/// What the caller of the request that is being decided calls it.
public enum CallerRequest {
    /// Nil if the caller gave no name, or none that a log could show.
    @TaskLocal public static var id: String?
    /// The detail of a record that holds it; the record's own request id is the daemon's.
    public static let detail = "caller-request-id"
}

/// One decision of a front: who asked for what, and what was decided.
public struct AuditEvent: Sendable, Hashable, Codable {
    public enum Outcome: String, Sendable, Codable { case allowed, refused, failed }

    /// `keystore`, `vault`, `auth`, `admin`.
    public var front: String
    /// A user id, DID or `-`; the caller's words, so never trusted when shown.
    public var actor: String
    /// What was asked, such as `sign/msg`.
    public var operation: String
    /// What it was asked of: a keystore and key, or a client id and public key. Empty if nothing.
    public var subject: String
    public var outcome: Outcome
    /// A short stable code, such as `ok`, `expired`, `not-permitted`.
    public var reason: String
    public var requestID: String
    /// Further facts, such as a hash; never a secret.
    public var details: [String: String]  // exact: the names are this program's own, in ASCII.

    public init(
        front: String, actor: String, operation: String, subject: String, outcome: Outcome, reason: String,
        requestID: String, details: [String: String] = [:]  // exact: the names are this program's own, in ASCII.
    ) {
        self.front = front
        self.actor = actor
        self.operation = operation
        self.subject = subject
        self.outcome = outcome
        self.reason = reason
        self.requestID = requestID
        self.details = details
    }
}
