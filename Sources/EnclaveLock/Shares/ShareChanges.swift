import Synchronization

/// Tells whoever keeps what shares opened that a user's shares were split again.
///
/// - Concurrency: any thread.
public final class ShareChanges: Sendable {
    private let observer = Mutex<(@Sendable (String) -> Void)?>(nil)

    public init() {}

    /// Sets who is told the user's name, instead of whoever was before.
    public func observe(_ tell: @escaping @Sendable (String) -> Void) { observer.withLock { $0 = tell } }

    public func report(_ user: String) { observer.withLock { $0 }?(user) }
}
