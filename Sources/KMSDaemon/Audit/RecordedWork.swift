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

    /// What the work writes into the chain.
    package struct Records: Sendable {
        fileprivate let chain: AuditChain

        /// Records what was made.
        package func made(_ operation: String, _ subject: String) async throws {
            _ = try await chain.recordDone(
                AuditEvent(
                    front: "admin", actor: "uid:\(getuid())", operation: operation, subject: subject, outcome: .allowed,
                    reason: "ok", requestID: ""))
        }
    }

    /// - Throws: What keeps the chain or the database from being trusted; nothing was done then.
    package static func run<R>(
        _ settings: Configuration, _ body: (RecordedWork) async throws -> R
    ) async throws -> R {
        let home = try HomeDirectory(taking: settings.home)
        defer { withExtendedLifetime(home) {} }
        let application = try Application.build(settings)
        let token = application.token
        let audit = try AuditParts(
            home: settings.home, token: token, manifest: token?.manifest, store: application.store.seal)
        token?.start()
        do {
            if let token { try await TokenWork.wait(for: token, timeout: .seconds(10)) }
            if let notary = audit.notary, await !notary.work(), let problem = await notary.problem { throw problem }
            let work = RecordedWork(application: application, records: Records(chain: audit.chain))
            try await work.open()
            let result = try await body(work)
            await audit.notary?.finish()
            await audit.chain.close()
            try application.store.close()
            if let token { await TokenWork.end(token) }
            return result
        } catch {
            await audit.notary?.finish()
            await audit.chain.close()
            if let token { await TokenWork.end(token) }
            throw error
        }
    }

    /// What is written must be sealed with what is there.
    private func open() async throws {
        let chain = records.chain
        if case .refused(let reason) = chain.standing { throw AuditError(.untrusted, reason) }
        let (seal, head) = (application.store.seal, chain.head)
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
