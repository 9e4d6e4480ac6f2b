/// Lets tests stop the process, or fail, at every point of a write.
struct AuditFaults: Sendable {
    enum Point: Hashable, Sendable { case beforeTransaction, beforeCommit, afterCommit }

    let reached: @Sendable (Point) throws -> Void

    static let none = AuditFaults { _ in }
}
