public import SecretMemory

/// Where the other share of a user is kept: an Auth server.
public protocol ShareSource: Sendable {
    /// The share that belongs to a user.
    ///
    /// - Throws: `.remoteFailed` with what the other server said.
    /// - Concurrency: any number of calls at once.
    func share(of user: String) async throws(EnclaveLockError) -> SharedSecret

    /// The share as it is now, for a caller whose own did not fit ``share(of:)``.
    ///
    /// - Parameter start: When the caller began; what was fetched since then is fresh.
    /// - Returns: Nil if it was asked too often for this user to be asked again now.
    /// - Throws: As ``share(of:)``.
    func freshShare(
        of user: String, since start: ContinuousClock.Instant
    ) async throws(EnclaveLockError) -> SharedSecret?

    /// The share as it is now, asked for in any case: for what cannot be checked, such as sealing.
    ///
    /// - Throws: As ``share(of:)``.
    func currentShare(of user: String) async throws(EnclaveLockError) -> SharedSecret

    /// Forgets a user's share.
    func forget(_ user: String)

    /// Where it is told that a user's share is another than before.
    var changes: ShareChanges? { get }
}

/// A source that remembers nothing.
extension ShareSource {
    public func freshShare(
        of user: String, since start: ContinuousClock.Instant
    ) async throws(EnclaveLockError) -> SharedSecret? { nil }

    public func currentShare(of user: String) async throws(EnclaveLockError) -> SharedSecret {
        try await share(of: user)
    }

    public func forget(_ user: String) {}
    public var changes: ShareChanges? { nil }
}
