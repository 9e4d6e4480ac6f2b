import Encodings
import Foundation
import GRDB
import Storage

/// The rows of the co-signing role: anchors and server shares. It stores bytes and knows no secret.
///
/// - Concurrency: any number of calls at once; nothing blocks the caller's thread.
final class AuthorityStore: Sendable {
    static let schema = SQLiteSchema(
        applicationID: 0x6B6D_7373,
        steps: [
            """
            CREATE TABLE anchors (
                id TEXT PRIMARY KEY NOT NULL,
                user_id TEXT NOT NULL,
                client_id TEXT NOT NULL,
                record BLOB NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX anchors_by_client ON anchors (client_id);
            CREATE TABLE shares (
                peer_key TEXT PRIMARY KEY NOT NULL,
                nonce TEXT NOT NULL,
                user_id TEXT NOT NULL,
                client_id TEXT NOT NULL,
                client_key BLOB NOT NULL,
                public_key BLOB NOT NULL,
                suite TEXT NOT NULL,
                restrictions TEXT NOT NULL,
                expires_at INTEGER NOT NULL,
                allows_messages INTEGER NOT NULL,
                verifies_hash INTEGER NOT NULL,
                anchor TEXT,
                is_foreign INTEGER NOT NULL,
                sealed BLOB NOT NULL,
                is_revoked INTEGER NOT NULL,
                created_at INTEGER NOT NULL,
                last_used INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX shares_by_client ON shares (client_id, user_id);
            """,
            [
                StateSeal.epochTable, StateSeal.columns, StateSeal.columns(of: "anchors"),
                StateSeal.columns(of: "shares"),
            ].joined(separator: "\n"),
        ])

    /// What the audit chain calls the file.
    static let name = "shares.sqlite"

    /// Rows that decide, with everything in them but when a share was last used.
    private static let sealed = [
        SealedTable("anchors", key: ["id"], content: ["user_id", "client_id", "record"]),
        SealedTable(
            "shares", key: ["peer_key"],
            content: [
                "nonce", "user_id", "client_id", "client_key", "public_key", "suite", "restrictions", "expires_at",
                "allows_messages", "verifies_hash", "anchor", "is_foreign", "sealed", "is_revoked", "created_at",
            ]),
    ]

    let pool: DatabasePool
    let probe: WriteProbe
    let seal: StateSeal
    private let tell: EpochTelling

    /// - Parameter tell: Called after each change that an older copy of the file would undo.
    init(path: String, tell: EpochTelling = .none) throws(SplitKeyError) {
        pool = try SplitStorage.open(path: path, label: "kmsd.shares", schema: Self.schema)
        probe = WriteProbe(pool)
        seal = try SplitStorage.seal(name: Self.name, path: path, pool: pool, tables: Self.sealed)
        self.tell = tell
    }

    func close() throws { try SQLiteFile.close(pool) }

    // MARK: Anchors

    func insert(_ anchor: AnchorRow) async throws(SplitKeyError) {
        try await SplitStorage.write(pool, seal, tell, .adds) { db in
            try db.execute(
                sql: "INSERT INTO anchors (id, user_id, client_id, record) VALUES (?, ?, ?, ?)",
                arguments: [anchor.id, anchor.userID.text, anchor.clientID, Data(anchor.record)])
        }
    }

    func anchor(_ id: String) async throws(SplitKeyError) -> AnchorRow? {
        try await SplitStorage.read(pool, seal) { [seal] db in
            try Row.fetchOne(try db.cachedStatement(sql: "SELECT * FROM anchors WHERE id = ?"), arguments: [id])
                .map { row in
                    guard seal.accepts(row, of: "anchors") else { throw SplitKeyError.damaged("anchor") }
                    return Self.anchor(row)
                }
        }
    }

    /// A wallet's anchors of one user.
    func anchors(client: String, user: ExactText) async throws(SplitKeyError) -> [AnchorRow] {
        try await SplitStorage.read(pool, seal) { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM anchors WHERE client_id = ? AND user_id = ?", arguments: [client, user.text]
            ).map(Self.anchor)
        }
    }

    static func anchor(_ row: Row) -> AnchorRow {
        AnchorRow(
            id: row.text("id"), userID: ExactText(row.text("user_id")), clientID: row.text("client_id"),
            record: row.bytes("record"))
    }

    // MARK: Shares

    func share(peer: String) async throws(SplitKeyError) -> ShareRecord? {
        try await SplitStorage.read(pool, seal) { [seal] db in
            try Row.fetchOne(try db.cachedStatement(sql: "SELECT * FROM shares WHERE peer_key = ?"), arguments: [peer])
                .flatMap { row in
                    guard seal.accepts(row, of: "shares") else { throw SplitKeyError.damaged("split key") }
                    return Self.share(row)
                }
        }
    }

    /// A wallet's shares of one user.
    func shares(client: String, user: ExactText) async throws(SplitKeyError) -> [ShareRecord] {
        try await SplitStorage.read(pool, seal) { [seal] db in
            // A row that was edited is left out: the others are not its fault.
            try Row.fetchAll(
                db, sql: "SELECT * FROM shares WHERE client_id = ? AND user_id = ? ORDER BY created_at, peer_key",
                arguments: [client, user.text]
            ).filter { seal.accepts($0, of: "shares") }.compactMap(Self.share)
        }
    }

    /// Stores a share, in place of one with the same peer key; `anchor` is a new one of its own.
    ///
    /// - Parameter isNew: Whether there is none with that key.
    func put(_ share: ShareRecord, anchor: AnchorRow?, isNew: Bool = false) async throws(SplitKeyError) {
        let restrictions = try SplitStorage.encode(share.policy.restrictions)
        try await SplitStorage.write(pool, seal, tell, isNew ? .adds : .lowers) { db in
            if let anchor {
                try db.execute(
                    sql: "INSERT INTO anchors (id, user_id, client_id, record) VALUES (?, ?, ?, ?)",
                    arguments: [anchor.id, anchor.userID.text, anchor.clientID, Data(anchor.record)])
            }
            try db.execute(
                sql:
                    "INSERT OR REPLACE INTO shares (peer_key, nonce, user_id, client_id, client_key, public_key, suite, "
                    + "restrictions, expires_at, allows_messages, verifies_hash, anchor, is_foreign, sealed, "
                    + "is_revoked, created_at, last_used) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    share.peerText, share.nonce, share.userID.text, share.clientID, Data(share.clientKey),
                    Data(share.publicKey), share.suite.rawValue, restrictions, share.policy.expiresAt,
                    share.policy.allowsMessages, share.policy.verifiesHash, share.anchor, share.isForeign,
                    Data(share.sealed), share.isRevoked, share.createdAt, share.lastUsed,
                ])
        }
    }

    /// Marks a share revoked and erases its sealed part.
    func revoke(peer: String) async throws(SplitKeyError) {
        try await SplitStorage.write(pool, seal, tell, .lowers) { db in
            try db.execute(
                sql: "UPDATE shares SET is_revoked = 1, sealed = x'' WHERE peer_key = ?", arguments: [peer])
        }
    }

    /// Removes a wallet's shares and anchors of one user.
    func remove(client: String, user: ExactText) async throws(SplitKeyError) {
        try await SplitStorage.write(pool, seal, tell, .lowers) { db in
            try db.execute(
                sql: "DELETE FROM shares WHERE client_id = ? AND user_id = ?", arguments: [client, user.text])
            try db.execute(
                sql: "DELETE FROM anchors WHERE client_id = ? AND user_id = ?", arguments: [client, user.text])
        }
    }

    // exact: names of keys are hexadecimal digits that were made here.
    func touch(_ times: [String: Int64]) async throws(SplitKeyError) {
        try await SplitStorage.write(pool, seal, tell, .notes) { db in
            for (peer, time) in times {
                try db.cachedStatement(sql: "UPDATE shares SET last_used = ? WHERE peer_key = ? AND last_used < ?")
                    .execute(arguments: [time, peer, time])
            }
        }
    }

    /// Nil for a row whose columns make no record at all.
    static func share(_ row: Row) -> ShareRecord? {
        guard let suite = SplitSuite(rawValue: row.text("suite")),
            let peerKey = Hexadecimal.decode(row.text("peer_key"), .either),
            let restrictions = try? SplitStorage.decode(row.text("restrictions"))
        else { return nil }
        return ShareRecord(
            nonce: row.text("nonce"), userID: ExactText(row.text("user_id")), clientID: row.text("client_id"),
            clientKey: row.bytes("client_key"), peerKey: peerKey, publicKey: row.bytes("public_key"), suite: suite,
            policy: SplitPolicy(
                restrictions: restrictions, expiresAt: row.number("expires_at"),
                allowsMessages: row.number("allows_messages") != 0, verifiesHash: row.number("verifies_hash") != 0),
            anchor: row.optionalText("anchor"), isForeign: row.number("is_foreign") != 0, sealed: row.bytes("sealed"),
            isRevoked: row.number("is_revoked") != 0, createdAt: row.number("created_at"),
            lastUsed: row.number("last_used"))
    }
}
