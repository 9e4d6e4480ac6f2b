public import SecretMemory

/// Where the other share of a user is kept: an Auth server.
public protocol ShareSource: Sendable {
    /// The share that belongs to a user.
    ///
    /// - Throws: `.remoteFailed` with what the other server said.
    /// - Concurrency: any number of calls at once.
    func share(of user: String) async throws(EnclaveLockError) -> SharedSecret
}
