import Encodings
import Foundation
import GRDB
import Storage

/// The rows of the vault: wallets and user shares. It stores bytes and knows no secret.
///
/// - Concurrency: any number of calls at once; nothing blocks the caller's thread.
final class VaultStore: Sendable {
    static let schema = SQLiteSchema(
        applicationID: 0x6B6D_7376,
        steps: [
            """
            CREATE TABLE masters (
                client_id TEXT PRIMARY KEY NOT NULL,
                user_id TEXT NOT NULL,
                client_key BLOB NOT NULL,
                suite TEXT NOT NULL,
                anchor TEXT,
                protection TEXT NOT NULL,
                anchor_key BLOB NOT NULL,
                sealed BLOB NOT NULL,
                created_at INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX masters_by_user ON masters (user_id, created_at);
            CREATE TABLE splits (
                public_key TEXT PRIMARY KEY NOT NULL,
                client_id TEXT NOT NULL REFERENCES masters (client_id),
                user_id TEXT NOT NULL,
                client_key BLOB NOT NULL,
                peer_key TEXT NOT NULL,
                shared_to TEXT NOT NULL,
                is_revoked INTEGER NOT NULL,
                is_pending INTEGER NOT NULL,
                restrictions TEXT NOT NULL,
                expires_at INTEGER NOT NULL,
                allows_messages INTEGER NOT NULL,
                verifies_hash INTEGER NOT NULL,
                sealed BLOB NOT NULL,
                created_at INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX splits_by_client ON splits (client_id, created_at);
            CREATE INDEX splits_pending ON splits (client_id) WHERE is_pending <> 0;
            CREATE INDEX splits_by_peer ON splits (peer_key);
            CREATE INDEX splits_by_grantee ON splits (shared_to) WHERE shared_to <> '';
            """,
            [
                StateSeal.epochTable, StateSeal.columns, StateSeal.columns(of: "masters"),
                StateSeal.columns(of: "splits"),
            ].joined(separator: "\n"),
        ])

    /// What the audit chain calls the file.
    static let name = "vault.sqlite"

    /// Rows that decide, with everything in them.
    private static let sealed = [
        SealedTable(
            "masters", key: ["client_id"],
            content: ["user_id", "client_key", "suite", "anchor", "protection", "anchor_key", "sealed", "created_at"]),
        SealedTable(
            "splits", key: ["public_key"],
            content: [
                "client_id", "user_id", "client_key", "peer_key", "shared_to", "is_revoked", "is_pending",
                "restrictions", "expires_at", "allows_messages", "verifies_hash", "sealed", "created_at",
            ]),
    ]

    let pool: DatabasePool
    let probe: WriteProbe
    let seal: StateSeal
    private let tell: EpochTelling

    /// - Parameter tell: Called after each change that an older copy of the file would undo.
    init(path: String, tell: EpochTelling = .none) throws(SplitKeyError) {
        pool = try SplitStorage.open(path: path, label: "kmsd.vault", schema: Self.schema)
        probe = WriteProbe(pool)
        seal = try SplitStorage.seal(name: Self.name, path: path, pool: pool, tables: Self.sealed)
        self.tell = tell
    }

    func close() throws { try SQLiteFile.close(pool) }

    // MARK: Wallets

    func master(_ client: String) async throws(SplitKeyError) -> MasterRecord? {
        try await SplitStorage.read(pool, seal) { [seal] db in
            try Row.fetchOne(db, sql: "SELECT * FROM masters WHERE client_id = ?", arguments: [client])
                .flatMap { row in
                    guard seal.accepts(row, of: "masters") else { throw SplitKeyError.damaged("wallet") }
                    return Self.master(row)
                }
        }
    }

    func masters(user: ExactText, limit: Int) async throws(SplitKeyError) -> [MasterRecord] {
        try await SplitStorage.read(pool, seal) { [seal] db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM masters WHERE user_id = ? ORDER BY created_at, client_id LIMIT ?",
                arguments: [user.text, limit]
            ).filter { seal.accepts($0, of: "masters") }.compactMap(Self.master)
        }
    }

    /// - Throws: `.conflict` if another request stored the wallet meanwhile.
    func insert(_ master: MasterRecord) async throws(SplitKeyError) {
        try await SplitStorage.write(pool, seal, tell, .adds) { db in
            guard
                try Row.fetchOne(db, sql: "SELECT 1 FROM masters WHERE client_id = ?", arguments: [master.clientID])
                    == nil
            else { throw SplitKeyError(.conflict, "this wallet is stored already") }
            try db.execute(
                sql:
                    "INSERT INTO masters (client_id, user_id, client_key, suite, anchor, protection, anchor_key, sealed, "
                    + "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    master.clientID, master.userID.text, Data(master.clientKey), master.suite.rawValue, master.anchor,
                    master.protection, Data(master.anchorKey), Data(master.sealed), master.createdAt,
                ])
        }
    }

    /// Removes a wallet with its split keys.
    ///
    /// - Returns: The public keys of those that it had until then.
    func remove(client: String) async throws(SplitKeyError) -> [[UInt8]] {
        try await SplitStorage.write(pool, seal, tell, .lowers) { db in
            let names = try String.fetchAll(
                db, sql: "SELECT public_key FROM splits WHERE client_id = ?", arguments: [client])
            try db.execute(sql: "DELETE FROM splits WHERE client_id = ?", arguments: [client])
            try db.execute(sql: "DELETE FROM masters WHERE client_id = ?", arguments: [client])
            return names.compactMap { Hexadecimal.decode($0, .either) }
        }
    }

    // MARK: Split keys

    func splits(client: String) async throws(SplitKeyError) -> [SplitRecord] {
        try await fetch("SELECT * FROM splits WHERE client_id = ? ORDER BY created_at, public_key", [client])
    }

    /// Those that the co-signing role may not have yet.
    func pending(client: String) async throws(SplitKeyError) -> [SplitRecord] {
        try await fetch("SELECT * FROM splits WHERE client_id = ? AND is_pending <> 0", [client])
    }

    func count(client: String) async throws(SplitKeyError) -> Int {
        try await SplitStorage.read(pool, seal) { db in
            try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM splits WHERE client_id = ?", arguments: [client]) ?? 0
        }
    }

    func split(publicKey: String) async throws(SplitKeyError) -> SplitRecord? {
        try await fetch("SELECT * FROM splits WHERE public_key = ?", [publicKey]).first
    }

    func splits(sharedTo user: ExactText) async throws(SplitKeyError) -> [SplitRecord] {
        try await fetch(
            "SELECT * FROM splits WHERE shared_to = ? AND shared_to <> '' ORDER BY created_at, public_key", [user.text])
    }

    /// A user's split keys that have `key` as one of their public keys.
    func splits(anyKey key: String, user: ExactText) async throws(SplitKeyError) -> [SplitRecord] {
        try await fetch(
            "SELECT * FROM splits WHERE (peer_key = ? OR public_key = ?) AND user_id = ?", [key, key, user.text])
    }

    /// - Parameters:
    ///   - old: What is there now, and was read for this change; nil to make it.
    ///   - isMade: Whether this makes it, or ends its making.
    /// - Throws: `.conflict` if something else is there: another request changed or removed it meanwhile.
    func put(
        _ split: SplitRecord, insteadOf old: SplitRecord?, isMade: Bool = false
    ) async throws(SplitKeyError) {
        try await SplitStorage.write(pool, seal, tell, isMade ? .adds : .lowers) { [seal] db in
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM splits WHERE public_key = ?", arguments: [split.publicText])
            // A row that was edited is nothing that could have been read.
            let found = row.flatMap { seal.accepts($0, of: "splits") ? Self.split($0) : nil }
            guard found == old, (row == nil) == (old == nil) else {
                throw SplitKeyError.lostRace
            }
            try Self.replace(split, db)
        }
    }

    private static func replace(_ split: SplitRecord, _ db: Database) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO splits (public_key, client_id, user_id, client_key, peer_key, shared_to, "
                + "is_revoked, is_pending, restrictions, expires_at, allows_messages, verifies_hash, sealed, "
                + "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                split.publicText, split.clientID, split.userID.text, Data(split.clientKey),
                Hexadecimal.encode(split.peerKey), split.sharedTo.text, split.isRevoked, split.isPending,
                try SplitStorage.encode(split.policy.restrictions), split.policy.expiresAt,
                split.policy.allowsMessages, split.policy.verifiesHash, Data(split.sealed), split.createdAt,
            ])
    }

    func remove(publicKey: String) async throws(SplitKeyError) {
        try await SplitStorage.write(pool, seal, tell, .lowers) { db in
            try db.execute(sql: "DELETE FROM splits WHERE public_key = ?", arguments: [publicKey])
        }
    }

    private func fetch(_ sql: String, _ arguments: StatementArguments) async throws(SplitKeyError) -> [SplitRecord] {
        try await SplitStorage.read(pool, seal) { [seal] db in
            // A row that was edited is as good as none: nothing in it can be believed.
            try Row.fetchAll(db, sql: sql, arguments: arguments).filter { seal.accepts($0, of: "splits") }
                .compactMap(Self.split)
        }
    }

    // MARK: Decoding

    static func master(_ row: Row) -> MasterRecord? {
        guard let suite = SplitSuite(rawValue: row.text("suite")) else { return nil }
        return MasterRecord(
            clientID: row.text("client_id"), userID: ExactText(row.text("user_id")), clientKey: row.bytes("client_key"),
            suite: suite, anchor: row.optionalText("anchor"), protection: row.text("protection"),
            anchorKey: row.bytes("anchor_key"), sealed: row.bytes("sealed"), createdAt: row.number("created_at"))
    }

    static func split(_ row: Row) -> SplitRecord? {
        guard let publicKey = Hexadecimal.decode(row.text("public_key"), .either),
            let peerKey = Hexadecimal.decode(row.text("peer_key"), .either),
            let restrictions = try? SplitStorage.decode(row.text("restrictions"))
        else { return nil }
        return SplitRecord(
            clientID: row.text("client_id"), userID: ExactText(row.text("user_id")), clientKey: row.bytes("client_key"),
            publicKey: publicKey, peerKey: peerKey, sharedTo: ExactText(row.text("shared_to")),
            isRevoked: row.number("is_revoked") != 0, isPending: row.number("is_pending") != 0,
            policy: SplitPolicy(
                restrictions: restrictions, expiresAt: row.number("expires_at"),
                allowsMessages: row.number("allows_messages") != 0, verifiesHash: row.number("verifies_hash") != 0),
            sealed: row.bytes("sealed"), createdAt: row.number("created_at"))
    }
}
