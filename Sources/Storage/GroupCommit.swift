package import GRDB
import Synchronization

/// Puts writes that arrive together into one transaction, so that they share its flush to the disk.
///
/// A write starts at once when none is running; those that arrive meanwhile wait and go together into the next
/// transaction, at most ``batchLimit``. Each has a savepoint of its own: one that fails leaves the others alone. A write is
/// answered after the commit.
///
/// - Concurrency: any thread; work runs on the database's writer queue.
package final class GroupCommit: Sendable {
    package static let batchLimit = 128

    /// How the store that writes words what goes wrong.
    package struct Errors: Sendable {
        let overloaded: @Sendable () -> any Error
        let isRefusal: @Sendable (any Error) -> Bool
        let translated: @Sendable (any Error) -> any Error

        /// - Parameters:
        ///   - overloaded: What a write fails with while too many wait.
        ///   - isRefusal: Whether a write's own error is the store's word on it, so that the others of its batch go on.
        ///   - translated: What the store says for an error, SQLite's or its own.
        package init(
            overloaded: @escaping @Sendable () -> any Error, isRefusal: @escaping @Sendable (any Error) -> Bool,
            translated: @escaping @Sendable (any Error) -> any Error
        ) {
            self.overloaded = overloaded
            self.isRefusal = isRefusal
            self.translated = translated
        }
    }

    /// A write that waits. Exactly one of `commit`'s result and `fail` is called, once.
    private struct Item: Sendable {
        /// Does the work and hands back how to answer success.
        let run: @Sendable (Database) throws -> @Sendable () -> Void
        let fail: @Sendable (any Error) -> Void
        let erases: Bool
        let decides: Bool
        let since = ContinuousClock.now
    }

    private struct State {
        var waiting: [Item] = []
        var running = false
    }

    private enum Admission { case full, waits, starts }

    private let pool: DatabasePool
    private let seal: StateSeal
    private let queueLimit: Int
    private let errors: Errors
    private let faults: WriteFaults
    private let didFail: @Sendable () -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - queueLimit: Most writes that may wait.
    ///   - didFail: Called on the writer queue after a transaction was rolled back.
    package init(
        pool: DatabasePool, seal: StateSeal, queueLimit: Int, errors: Errors, faults: WriteFaults = .none,
        didFail: @escaping @Sendable () -> Void
    ) {
        self.pool = pool
        self.seal = seal
        self.queueLimit = queueLimit
        self.errors = errors
        self.faults = faults
        self.didFail = didFail
    }

    /// Runs `body` in a transaction and returns after its commit.
    ///
    /// - Parameters:
    ///   - erases: Whether deleted bytes must leave the write-ahead log before the answer.
    ///   - decides: Whether it changes rows that the file's seal covers.
    ///   - body: Changes the database only; it may run again alone if its batch could not be stored.
    /// - Throws: what `body` throws and what else goes wrong, in the store's words (``Errors``).
    package func perform<R: Sendable>(
        erases: Bool = false, decides: Bool = true, _ body: @escaping @Sendable (Database) throws -> R
    ) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            let item = Item(
                run: { db in
                    let result = try body(db)
                    return { continuation.resume(returning: result) }
                },
                fail: { continuation.resume(throwing: $0) }, erases: erases, decides: decides)
            let admission: Admission = state.withLock { state in
                guard state.waiting.count < queueLimit else { return .full }
                state.waiting.append(item)
                defer { state.running = true }
                return state.running ? .waits : .starts
            }
            switch admission {
            case .full: item.fail(errors.overloaded())
            case .waits: break
            case .starts: pool.asyncWriteWithoutTransaction { db in self.drain(db) }
            }
        }
    }

    private func drain(_ db: Database) {
        while true {
            let batch: [Item] = state.withLock { state in
                let batch = Array(state.waiting.prefix(Self.batchLimit))
                state.waiting.removeFirst(batch.count)
                if batch.isEmpty { state.running = false }
                return batch
            }
            if batch.isEmpty { return }
            commit(batch, db)
        }
    }

    private func commit(_ batch: [Item], _ db: Database) {
        var outcomes: [Result<@Sendable () -> Void, any Error>] = []
        do {
            try faults.reached(.beforeTransaction)
            try seal.place.check()
            try SQLiteFile.transaction(db, since: batch.map(\.since).min() ?? .now) {
                for item in batch { outcomes.append(try attempt(item, db)) }
                if batch.contains(where: \.decides), seal.isOpen { try seal.finish(db) }
                try faults.reached(.beforeCommit)
                return .commit
            }
        } catch {
            didFail()
            if batch.count > 1, Self.concernsOneRow(error) {
                for item in batch { commit([item], db) }
                return
            }
            for item in batch { item.fail(errors.translated(error)) }
            return
        }
        // Committed: whatever happens now, the answer is yes.
        try? faults.reached(.afterCommit)
        if batch.contains(where: \.erases) {
            // Best effort: a reader may hold the log open; the bytes then go with a later checkpoint.
            _ = try? db.checkpoint(.truncate)
        }
        for (item, outcome) in zip(batch, outcomes) {
            switch outcome {
            case .success(let answer): answer()
            case .failure(let error): item.fail(errors.translated(error))
            }
        }
    }

    /// Runs one write in its savepoint.
    ///
    /// - Throws: what concerns the whole transaction.
    private func attempt(_ item: Item, _ db: Database) throws -> Result<@Sendable () -> Void, any Error> {
        var answer: Result<@Sendable () -> Void, any Error> = .failure(CancellationError())
        do {
            try savepoint(db) {
                if item.decides { try seal.permit() }
                answer = .success(try item.run(db))
            }
        } catch {
            guard errors.isRefusal(error), db.isInsideTransaction else { throw error }
            return .failure(error)
        }
        return answer
    }

    /// GRDB's own savepoints compile their statements each time.
    private func savepoint(_ db: Database, _ body: () throws -> Void) throws {
        try db.cachedStatement(sql: "SAVEPOINT one_write").execute()
        do {
            try body()
            try db.cachedStatement(sql: "RELEASE SAVEPOINT one_write").execute()
        } catch {
            // A failure that ended the whole transaction took the savepoint with it.
            if db.isInsideTransaction {
                try db.cachedStatement(sql: "ROLLBACK TRANSACTION TO SAVEPOINT one_write").execute()
                try db.cachedStatement(sql: "RELEASE SAVEPOINT one_write").execute()
            }
            throw error
        }
    }

    /// Whether a failed batch is worth another try write by write, because a damaged page may concern one row only.
    private static func concernsOneRow(_ error: any Error) -> Bool {
        guard let code = (error as? DatabaseError)?.resultCode else { return false }
        return code == .SQLITE_CORRUPT || code == .SQLITE_CONSTRAINT
    }
}
