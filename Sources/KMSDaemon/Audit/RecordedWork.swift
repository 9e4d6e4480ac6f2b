import Audit
import Glibc
package import KMSConfiguration
import Keystores
import Storage
import Token

/// Work on the keystores with the daemon's own parts, while the daemon does not run: on a trusted chain and the database that it
/// tells of, and with a record of everything that is made.
package struct RecordedWork {
    package let application: Application
    package let records: Records
    /// Signs the chain; nil without a token.
    let notary: AuditNotary?

    /// What the work writes into the chain.
    package struct Records: Sendable {
        fileprivate let chain: AuditChain

        /// Records what was made.
        // exact: the names are this program's own, in ASCII.
        package func made(_ operation: String, _ subject: String, details: [String: String] = [:]) async throws {
            _ = try await chain.recordDone(event(operation, subject, .allowed, details))
        }

        /// Records what is about to be done; without a record it is not done.
        // exact: the names are this program's own, in ASCII.
        package func allow(_ operation: String, _ subject: String, details: [String: String] = [:]) async throws {
            _ = try await chain.record(event(operation, subject, .allowed, details))
        }

        /// Records what was refused.
        package func refused(_ operation: String, _ subject: String, reason: String) async throws {
            var event = event(operation, subject, .refused, [:])
            event.reason = reason
            _ = try await chain.recordDone(event)
        }

        private func event(
            _ operation: String, _ subject: String, _ outcome: AuditEvent.Outcome,
            _ details: [String: String]  // exact: the names are this program's own, in ASCII.
        ) -> AuditEvent {
            AuditEvent(
                front: "admin", actor: "uid:\(getuid())", operation: operation, subject: subject, outcome: outcome,
                reason: "ok", requestID: "", details: details)
        }
    }

    /// - Throws: What keeps the chain or the database from being trusted; nothing was done then.
    package static func run<R>(
        _ settings: Configuration, isOfMigration: Bool = false, _ body: (RecordedWork) async throws -> R
    ) async throws -> R {
        let home = try HomeDirectory(taking: settings.home)
        defer { withExtendedLifetime(home) {} }
        let application = try Application.build(settings, isOfMigration: isOfMigration)
        let token = application.token
        let audit = try AuditParts.make(settings, token: token, store: application.store.seal)
        let devices = [token, application.recoveryToken].compactMap { $0 }
        for device in devices { device.start() }
        do {
            for device in devices { try await TokenWork.wait(for: device, timeout: .seconds(10)) }
            if let notary = audit.notary, await !notary.work(), let problem = await notary.problem { throw problem }
            let work = RecordedWork(
                application: application, records: Records(chain: audit.chain), notary: audit.notary)
            try await work.open(application.store.seal)
            let result = try await body(work)
            await audit.notary?.finish()
            await audit.chain.close()
            try application.store.close()
            for device in devices { await TokenWork.end(device) }
            return result
        } catch {
            await audit.notary?.finish()
            await audit.chain.close()
            for device in devices { await TokenWork.end(device) }
            throw error
        }
    }

    /// What is written must be sealed with what is there.
    func open(_ seal: StateSeal) async throws {
        let chain = records.chain
        if case .refused(let reason) = chain.standing { throw AuditError(.untrusted, reason) }
        let head = chain.head
        let opening: StateSeal.Opening
        do {
            opening = try await seal.open(
                locks: application.locks.all, told: head.sealed[seal.name], least: head.told(seal.name))
        } catch let problem as StateSeal.Problem {
            throw CommandFailure(.failed, code: "database", problem.message)
        }
        await chain.settle(seal.name, nil)
        if case .sealed(hadContent: true) = opening {
            _ = try await chain.recordDone(AuditStart.sealing(of: seal.name, epoch: seal.epoch))
        }
        if let problem = chain.problem { throw problem }
    }
}
