import Foundation
import GRDB
import Storage
import TextEncodings

/// The rows of the vault: wallets and user shares. It stores bytes and knows no secret.
///
/// - Concurrency: any number of calls at once; nothing blocks the caller's thread.
final class VaultStore: Sendable {
    private static let schema = SQLiteSchema(
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
            """
        ])

    private let pool: DatabasePool

    init(path: String) throws(SplitKeyError) {
        pool = try SplitStorage.open(path: path, label: "kmsd.vault", schema: Self.schema)
    }

    func close() throws { try SQLiteFile.close(pool) }

    // MARK: Wallets

    func master(_ client: String) async throws(SplitKeyError) -> MasterRecord? {
        try await SplitStorage.read(pool) { db in
            try Row.fetchOne(db, sql: "SELECT * FROM masters WHERE client_id = ?", arguments: [client])
                .flatMap(Self.master)
        }
    }

    func masters(user: String, limit: Int) async throws(SplitKeyError) -> [MasterRecord] {
        try await SplitStorage.read(pool) { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM masters WHERE user_id = ? ORDER BY created_at, client_id LIMIT ?",
                arguments: [user, limit]
            ).compactMap(Self.master)
        }
    }

    /// - Throws: `.conflict` if another request stored the wallet meanwhile.
    func insert(_ master: MasterRecord) async throws(SplitKeyError) {
        try await SplitStorage.write(pool) { db in
            guard
                try Row.fetchOne(db, sql: "SELECT 1 FROM masters WHERE client_id = ?", arguments: [master.clientID])
                    == nil
            else { throw SplitKeyError(.conflict, "this wallet is stored already") }
            try db.execute(
                sql:
                    "INSERT INTO masters (client_id, user_id, client_key, suite, anchor, protection, anchor_key, sealed, "
                    + "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    master.clientID, master.userID, Data(master.clientKey), master.suite.rawValue, master.anchor,
                    master.protection, Data(master.anchorKey), Data(master.sealed), master.createdAt,
                ])
        }
    }

    /// Removes a wallet with its split keys.
    func remove(client: String) async throws(SplitKeyError) {
        try await SplitStorage.write(pool) { db in
            try db.execute(sql: "DELETE FROM splits WHERE client_id = ?", arguments: [client])
            try db.execute(sql: "DELETE FROM masters WHERE client_id = ?", arguments: [client])
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
        try await SplitStorage.read(pool) { db in
            try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM splits WHERE client_id = ?", arguments: [client]) ?? 0
        }
    }

    func split(publicKey: String) async throws(SplitKeyError) -> SplitRecord? {
        try await fetch("SELECT * FROM splits WHERE public_key = ?", [publicKey]).first
    }

    func splits(sharedTo user: String) async throws(SplitKeyError) -> [SplitRecord] {
        try await fetch(
            "SELECT * FROM splits WHERE shared_to = ? AND shared_to <> '' ORDER BY created_at, public_key", [user])
    }

    /// A user's split keys that have `key` as one of their public keys.
    func splits(anyKey key: String, user: String) async throws(SplitKeyError) -> [SplitRecord] {
        try await fetch(
            "SELECT * FROM splits WHERE (peer_key = ? OR public_key = ?) AND user_id = ?", [key, key, user])
    }

    func put(_ split: SplitRecord) async throws(SplitKeyError) {
        let restrictions = try SplitStorage.encode(split.policy.restrictions)
        try await SplitStorage.write(pool) { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO splits (public_key, client_id, user_id, client_key, peer_key, shared_to, "
                    + "is_revoked, is_pending, restrictions, expires_at, allows_messages, verifies_hash, sealed, "
                    + "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    split.publicText, split.clientID, split.userID, Data(split.clientKey),
                    Hexadecimal.encode(split.peerKey), split.sharedTo, split.isRevoked, split.isPending, restrictions,
                    split.policy.expiresAt, split.policy.allowsMessages, split.policy.verifiesHash, Data(split.sealed),
                    split.createdAt,
                ])
        }
    }

    func remove(publicKey: String) async throws(SplitKeyError) {
        try await SplitStorage.write(pool) { db in
            try db.execute(sql: "DELETE FROM splits WHERE public_key = ?", arguments: [publicKey])
        }
    }

    private func fetch(_ sql: String, _ arguments: StatementArguments) async throws(SplitKeyError) -> [SplitRecord] {
        try await SplitStorage.read(pool) { db in
            try Row.fetchAll(db, sql: sql, arguments: arguments).compactMap(Self.split)
        }
    }

    // MARK: Decoding

    private static func master(_ row: Row) -> MasterRecord? {
        guard let suite = SplitSuite(rawValue: row.text("suite")) else { return nil }
        return MasterRecord(
            clientID: row.text("client_id"), userID: row.text("user_id"), clientKey: row.bytes("client_key"),
            suite: suite, anchor: row.optionalText("anchor"), protection: row.text("protection"),
            anchorKey: row.bytes("anchor_key"), sealed: row.bytes("sealed"), createdAt: row.number("created_at"))
    }

    private static func split(_ row: Row) -> SplitRecord? {
        guard let publicKey = Hexadecimal.decode(row.text("public_key"), .either),
            let peerKey = Hexadecimal.decode(row.text("peer_key"), .either),
            let restrictions = try? SplitStorage.decode(row.text("restrictions"))
        else { return nil }
        return SplitRecord(
            clientID: row.text("client_id"), userID: row.text("user_id"), clientKey: row.bytes("client_key"),
            publicKey: publicKey, peerKey: peerKey, sharedTo: row.text("shared_to"),
            isRevoked: row.number("is_revoked") != 0, isPending: row.number("is_pending") != 0,
            policy: SplitPolicy(
                restrictions: restrictions, expiresAt: row.number("expires_at"),
                allowsMessages: row.number("allows_messages") != 0, verifiesHash: row.number("verifies_hash") != 0),
            sealed: row.bytes("sealed"), createdAt: row.number("created_at"))
    }
}
