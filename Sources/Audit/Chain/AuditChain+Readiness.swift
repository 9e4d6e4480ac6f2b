import Storage
import Synchronization

extension AuditChain {
    /// Why no record could be written now, within a second; nil if one could, or after ``close()``. For whoever asks whether
    /// the daemon is ready; ``problem`` is about records that were tried.
    public func writeProblem() async -> AuditError? {
        guard !writer.state.withLock({ $0.isClosed }), let problem = await writeProbe.problem() else { return nil }
        return AuditError(.unavailable, "The audit chain cannot be written now: \(problem).")
    }
}
