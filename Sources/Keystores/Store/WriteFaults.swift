/// Lets tests stop the process, or fail, at every point of a write.
struct WriteFaults: Sendable {
    enum Point: Hashable, Sendable {
        case beforeTransaction
        /// Before a changing statement.
        case statement
        case beforeCommit
        case afterCommit
    }

    let reached: @Sendable (Point) throws -> Void

    static let none = WriteFaults { _ in }
}
