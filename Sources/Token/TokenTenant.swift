public import Encodings

/// On whose behalf the token is called, so that one caller's flood does not make the others wait for all of it. Of a task.
public struct TokenTenant: Sendable, Hashable {
    /// A hash of the name with this process's own seed: two names that meet only share a turn.
    private let tag: Int

    /// Nobody in particular: what the daemon does of itself.
    public static let daemon = TokenTenant(tag: 0)

    /// Of the work that is being done.
    @TaskLocal public static var current = TokenTenant.daemon

    private init(tag: Int) { self.tag = tag }

    /// - Parameter name: Whose keystores or keys they are; one name for all of somebody's.
    public init(_ name: ExactText) {
        var hasher = Hasher()
        hasher.combine(name)
        tag = hasher.finalize()
    }

    /// Runs `body` on behalf of the tenant.
    @inlinable public func run<R, E: Error>(_ body: () async throws(E) -> R) async throws(E) -> R {
        let result = await Self.$current.withValue(self) { () async -> Result<R, E> in
            do throws(E) { return .success(try await body()) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
