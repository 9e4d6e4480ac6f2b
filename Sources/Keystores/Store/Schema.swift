import Storage

/// The database's tables as numbered steps, applied forward only; a step is never edited once released.
enum Schema {
    /// Marks the file as ours (`PRAGMA application_id`): `kmsd`.
    static let applicationID = 0x6B6D_7364

    static let current = SQLiteSchema(applicationID: applicationID, steps: steps)

    static let steps: [String] = [
        """
        CREATE TABLE keystores (
            id TEXT PRIMARY KEY NOT NULL,
            controller TEXT NOT NULL,
            protection TEXT NOT NULL,
            lock_record BLOB NOT NULL,
            capability BLOB,
            created_at INTEGER NOT NULL,
            authenticator BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX keystores_by_controller ON keystores (controller, id);

        CREATE TABLE keys (
            keystore TEXT NOT NULL REFERENCES keystores (id),
            id TEXT NOT NULL,
            type TEXT NOT NULL,
            state TEXT NOT NULL,
            protection TEXT NOT NULL,
            provenance TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            destroy_at INTEGER,
            public_key BLOB,
            authenticator BLOB NOT NULL,
            PRIMARY KEY (keystore, id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX keys_pending ON keys (keystore, id, destroy_at) WHERE state = 'pending-destruction';

        CREATE TABLE key_versions (
            keystore TEXT NOT NULL,
            key TEXT NOT NULL,
            version INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            sealed BLOB NOT NULL,
            PRIMARY KEY (keystore, key, version),
            FOREIGN KEY (keystore, key) REFERENCES keys (keystore, id)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE probe (id INTEGER PRIMARY KEY NOT NULL, at INTEGER NOT NULL) STRICT;
        """,
        """
        CREATE TABLE did_keys (
            did TEXT PRIMARY KEY NOT NULL,
            lock_kind TEXT NOT NULL,
            lock_identity TEXT NOT NULL,
            sealed BLOB NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        ALTER TABLE keystores ADD COLUMN vault BLOB;
        """,
        """
        CREATE TABLE spent_signatures (
            name BLOB PRIMARY KEY NOT NULL,
            created INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX spent_signatures_by_time ON spent_signatures (created);
        """,
        """
        CREATE TABLE epoch (id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1), value INTEGER NOT NULL) STRICT;
        INSERT INTO epoch (id, value) VALUES (1, 0);
        """,
        [StateSeal.columns, StateSeal.columns(of: "keystores"), StateSeal.columns(of: "keys")].joined(separator: "\n"),
        // Bytes: names may hold what a text of SQLite's does not.
        "CREATE TABLE keystore_makers (maker BLOB PRIMARY KEY NOT NULL, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
    ]

    /// Rows that decide. The authenticators cover what else is in theirs; versions cannot be used but with their key's row.
    static let sealed = [
        SealedTable("keystores", key: ["id"], content: ["authenticator"]),
        SealedTable("keys", key: ["keystore", "id"], content: ["authenticator"]),
        SealedTable("spent_signatures", key: ["name", "created"]),
    ]
}
