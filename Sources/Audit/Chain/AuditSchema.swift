import Storage

/// The chain's tables as numbered steps, applied forward only; a step is never edited once released.
enum AuditSchema {
    /// The file is marked `kmsa`.
    static let current = SQLiteSchema(applicationID: 0x6B6D_7361, steps: steps)

    /// Step n makes version n, which `PRAGMA user_version` stores.
    ///
    /// `revocations` repeats what the records say, so that a start need not read them all; it is believed only as far as
    /// its hash agrees with the last revocation's record. `parts` names the archives of earlier records; what it says of where
    /// the file begins is believed only as far as a signed record agrees.
    static let steps: [String] = [
        """
        CREATE TABLE records (idx INTEGER PRIMARY KEY NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
        CREATE TABLE checkpoints (
            idx INTEGER PRIMARY KEY NOT NULL, body BLOB NOT NULL, public_key BLOB NOT NULL, signature BLOB NOT NULL
        ) STRICT;
        CREATE TABLE revocations (
            epoch INTEGER PRIMARY KEY NOT NULL, idx INTEGER NOT NULL UNIQUE, subject TEXT NOT NULL UNIQUE
        ) STRICT;
        CREATE TABLE probe (id INTEGER PRIMARY KEY NOT NULL, at INTEGER NOT NULL) STRICT;
        """,
        """
        CREATE TABLE parts (
            last INTEGER PRIMARY KEY NOT NULL, first INTEGER NOT NULL UNIQUE, name TEXT NOT NULL, closed INTEGER NOT NULL
        ) STRICT;
        """,
    ]
}
