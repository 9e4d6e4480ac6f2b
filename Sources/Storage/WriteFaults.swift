/// Lets tests stop the process, or fail, at every point of a write.
package struct WriteFaults: Sendable {
    package enum Point: Hashable, Sendable {
        case beforeTransaction
        /// Before a changing statement.
        case statement
        case beforeCommit
        case afterCommit
    }

    package let reached: @Sendable (Point) throws -> Void

    package init(_ reached: @escaping @Sendable (Point) throws -> Void) { self.reached = reached }

    package static let none = WriteFaults { _ in }
}
