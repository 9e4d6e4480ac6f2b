import Decryption
import EnclaveLock
import Encodings
import Foundation
import GRDB
public import Storage
import TFHE

/// The rows of the decryption API: keys, the trusted header, and answers that may be asked for again. It stores bytes and
/// knows no secret.
///
/// - Concurrency: any number of calls at once; nothing blocks the caller's thread.
public final class DecryptionStore: Sendable {
    static let schema = SQLiteSchema(
        applicationID: 0x6B6D_6463,
        steps: [
            """
            CREATE TABLE keys (
                id TEXT PRIMARY KEY NOT NULL,
                message_modulus INTEGER NOT NULL,
                carry_modulus INTEGER NOT NULL,
                key_order INTEGER NOT NULL,
                length INTEGER NOT NULL,
                state TEXT NOT NULL,
                fingerprint BLOB NOT NULL,
                lock_kind TEXT NOT NULL,
                lock_identity TEXT NOT NULL,
                sealed_lock_key BLOB NOT NULL,
                envelope BLOB NOT NULL,
                created_at INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE heads (
                chain_id TEXT PRIMARY KEY NOT NULL,
                state BLOB NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE answers (
                request_id BLOB PRIMARY KEY NOT NULL,
                answer BLOB NOT NULL,
                made_at INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX answers_by_age ON answers (made_at);
            """,
            [
                StateSeal.epochTable, StateSeal.columns, StateSeal.columns(of: "keys"), StateSeal.columns(of: "heads"),
            ].joined(separator: "\n"),
            // They have another form now; whoever repeats a question has it answered anew.
            "DELETE FROM answers;",
        ])

    /// What the audit chain calls the file.
    public static let name = "decryption.sqlite"

    /// Rows that decide. Answers do not: each is checked against the question that it answers.
    private static let sealed = [
        SealedTable(
            "keys", key: ["id"],
            content: [
                "message_modulus", "carry_modulus", "key_order", "length", "state", "fingerprint", "lock_kind",
                "lock_identity", "sealed_lock_key", "envelope", "created_at",
            ]),
        SealedTable("heads", key: ["chain_id"], content: ["state"]),
    ]

    /// Most answers that are kept at once.
    public static let mostAnswers = 100_000

    let pool: DatabasePool
    public let seal: StateSeal
    /// Of answers, which come many at once.
    let answers: GroupCommit
    let known = AnswerIndex()
    let knownKeys = KnownKeys()
    let mostAnswers: Int
    /// Unix seconds.
    let clock: @Sendable () -> Int64
    private let probe: WriteProbe
    /// Called after each change that an older copy of the file would undo.
    private let tell: @Sendable () async throws -> Void

    /// Opens or makes the file. Blocks for a few file operations.
    public convenience init(path: String, tell: @escaping @Sendable () async throws -> Void = {}) throws {
        try self.init(
            path: path, mostAnswers: Self.mostAnswers, clock: { Int64(Date().timeIntervalSince1970) }, tell: tell)
    }

    init(
        path: String, mostAnswers: Int, clock: @escaping @Sendable () -> Int64, faults: WriteFaults = .none,
        tell: @escaping @Sendable () async throws -> Void = {}
    ) throws {
        pool = try SQLiteFile.open(path: path, label: "kmsd.decryption", schema: Self.schema)
        seal = try StateSeal(name: Self.name, path: path, pool: pool, tables: Self.sealed)
        probe = WriteProbe(pool)
        self.mostAnswers = mostAnswers
        self.clock = clock
        self.tell = tell
        let known = known
        answers = GroupCommit(pool: pool, seal: seal, queueLimit: Self.queueLimit, errors: Self.errors, faults: faults)
        {
            known.forget()
        }
    }

    public func close() throws { try SQLiteFile.close(pool) }

    /// Why the file could not be written now, within a second; nil if it could.
    public func writeProblem() async -> String? { await probe.problem() }

    /// What a file that is only read says of its own place, also beside the daemon.
    public static func claim(ofFile path: String) throws -> StateSeal.Claim {
        try StateSeal.claim(ofFile: path, schema: schema)
    }

    /// Keys that the token seals, in a store that is only read.
    public static func countOfToken(ofFile path: String) throws -> Int {
        try StateSeal.count("SELECT COUNT(*) FROM keys WHERE lock_kind = 'token'", inFile: path, schema: schema)
    }

    // MARK: Transactions

    func read<R: Sendable>(
        proven: Bool = true, _ body: @escaping @Sendable (Database) throws -> R
    ) async throws(DecryptionError) -> R {
        do {
            if proven { try seal.permit() }
            return try await pool.read(body)
        } catch { throw Self.translate(error) }
    }

    /// One transaction, durable when this returns.
    ///
    /// - Parameter lowers: Whether an older copy of the file would undo it; the audit chain has heard of the epoch then.
    @discardableResult func write<R: Sendable>(
        lowers: Bool, _ body: @escaping @Sendable (Database) throws -> R
    ) async throws(DecryptionError) -> R {
        knownKeys.forget()
        defer { knownKeys.forget() }
        do {
            let seal = seal
            let (result, raised) = try await pool.write { db -> (R, UInt64?) in
                try seal.permit()
                let result = try body(db)
                let raised = lowers ? try seal.raise(db) : nil
                if seal.isOpen { try seal.finish(db) }
                return (result, raised)
            }
            if let raised {
                seal.settle(raised)
                try await tell()
            }
            return result
        } catch { throw Self.translate(error) }
    }

    /// Most answers that may wait to be kept.
    private static let queueLimit = 4_096

    private static let errors = GroupCommit.Errors(
        overloaded: {
            DecryptionError(.exhausted, "storage-busy", "too many answers wait to be kept; try again")
        },
        isRefusal: { $0 is DecryptionError }, translated: { translate($0) })

    static func translate(_ error: any Error) -> DecryptionError {
        if let error = error as? DecryptionError { return error }
        if error is CancellationError { return DecryptionError(.late, "deadline", "the caller's deadline is over") }
        if let error = error as? StorageError {
            return DecryptionError(.unavailable, "storage", error.message)
        }
        return DecryptionError(.unavailable, "storage", "the database cannot be used now: \(SQLiteFile.remedy(error))")
    }

    static let damaged = DecryptionError(
        .failed, "row-altered", "a row of decryption.sqlite is not what kmsd wrote; restore a backup")
}
