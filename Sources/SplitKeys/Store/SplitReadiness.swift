import Storage

extension AuthorityService {
    /// Why the store could not be written now, within a second; nil if it could.
    public func writeProblem() async -> String? { await store.probe.problem() }
}

extension VaultService {
    /// Why the store could not be written now, within a second; nil if it could.
    public func writeProblem() async -> String? { await store.probe.problem() }
}
