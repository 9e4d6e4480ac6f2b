import Audit
import EnclaveLock
import Logging
import Storage

/// Compares the databases with their seals at a start, as soon as the chain is trusted and the secret lock answers, and tells
/// the chain what it found. Until then the chain allows nothing on a database that has a seal.
struct Seals: Sendable {
    let all: [StateSeal]
    /// The one that seals first.
    let locks: [any SecretLock]
    let chain: AuditChain
    let logger: Logger

    private static let longestPause = Duration.seconds(2)

    /// Returns when each is settled, or the task is cancelled.
    func open() async {
        var pause = Duration.milliseconds(5)
        while !Task.isCancelled {
            switch chain.standing {
            case .trusted: break
            case .unchecked:
                // The token is a few milliseconds away, or away.
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .milliseconds(200))
                continue
            case .refused(let reason):
                // A file that is missing and was made again holds nothing: without this, reads would answer that nothing is there.
                for seal in all { seal.refuse(reason) }
                return
            }
            await withTaskGroup(of: Void.self) { group in
                for seal in all { group.addTask { await open(seal) } }
            }
            return
        }
    }

    private func open(_ seal: StateSeal) async {
        var pause = Duration.milliseconds(20)
        while !Task.isCancelled {
            let head = chain.head
            do {
                let opening = try await seal.open(
                    locks: locks, told: head.sealed[seal.name], least: head.told(seal.name))
                await chain.settle(seal.name, nil)
                if case .sealed(hadContent: true) = opening {
                    logger.notice("a database has a seal from now on", metadata: ["database": "\(seal.path)"])
                    _ = try await chain.recordDone(AuditStart.sealing(of: seal.name, epoch: seal.epoch))
                }
                return await tellDamage(seal)
            } catch let problem as StateSeal.Problem {
                let error = AuditError(problem.isOlder ? .olderDatabase : .alteredDatabase, problem.message)
                return await chain.settle(seal.name, error)
            } catch is AuditError {
                // Kept, and written when the chain can be.
                return
            } catch {
                let reason = (error as? EnclaveLockError)?.message ?? (error as? StorageError)?.message ?? "\(error)"
                chain.delay(seal.name, reason)
                seal.giveUpWaiting()
                logger.debug("a database waits for its seal", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    /// A list leaves out what was edited, so this says that there is something to leave out.
    private func tellDamage(_ seal: StateSeal) async {
        guard let damaged = try? await seal.damagedRows(), !damaged.isEmpty else { return }
        let rows = damaged.map { "\($0.key): \($0.value)" }.sorted().joined(separator: ", ")
        logger.warning(
            "rows were edited and are not used; restore them from a backup",
            metadata: ["database": "\(seal.path)", "rows": "\(rows)"])
        _ = try? await chain.recordDone(AuditStart.damage(in: seal.name, damaged))
    }
}
