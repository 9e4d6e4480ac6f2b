import Audit
import HTTPAPI
import Keystores
import ServiceLifecycle
import Synchronization

/// Looks whether requests can succeed until they can, and says so.
struct ReadinessAnnouncer: Service {
    let keystores: any KeystoreManaging
    let tokenProblem: @Sendable () -> TokenProblem?
    let auditProblem: @Sendable () -> AuditError?
    let announcement: Announcement

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if tokenProblem() == nil, auditProblem() == nil, await keystores.readiness.isEmpty {
                    announcement.make()
                    return
                }
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
        await untilShutdown()
    }
}

/// What is done once when requests can succeed, whoever is first to know.
final class Announcement: Sendable {
    private let announce: @Sendable () -> Void
    private let isMade = Atomic<Bool>(false)

    init(_ announce: @escaping @Sendable () -> Void) { self.announce = announce }

    func make() {
        if !isMade.exchange(true, ordering: .relaxed) { announce() }
    }
}
