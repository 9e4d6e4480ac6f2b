import GRDB

/// Reads columns of a row that may be damaged: a value of the wrong type reads as empty, and the row's authenticator
/// refuses it. GRDB's own conversions would end the process.
struct StoredRow {
    let row: Row

    init(_ row: Row) { self.row = row }

    func text(_ column: String) -> String { String.fromDatabaseValue(value(column)) ?? "" }
    func number(_ column: String) -> Int64 { optionalNumber(column) ?? -1 }

    func optionalNumber(_ column: String) -> Int64? {
        // Only integers: a stored real or text is damage, not something to convert.
        if case .int64(let number) = value(column).storage { number } else { nil }
    }

    func bytes(_ column: String) -> [UInt8] { optionalBytes(column) ?? [] }

    func optionalBytes(_ column: String) -> [UInt8]? {
        if case .blob(let data) = value(column).storage { [UInt8](data) } else { nil }
    }

    private func value(_ column: String) -> DatabaseValue { row[column] ?? .null }
}

extension StoredRow {
    /// - Parameter isAccepted: Whether the row's stamp holds; one that does not has no authenticator, so nothing uses it.
    func keystoreRecord(isAccepted: Bool) -> KeystoreRecord {
        KeystoreRecord(
            id: text("id"), controller: text("controller"), protection: text("protection"),
            lockRecord: bytes("lock_record"), capability: optionalBytes("capability"), createdAt: number("created_at"),
            vault: optionalBytes("vault"), authenticator: isAccepted ? bytes("authenticator") : [])
    }

    func keyRecord(versions: [KeyRecord.Version], isAccepted: Bool) -> KeyRecord {
        KeyRecord(
            keystore: text("keystore"), id: text("id"), type: text("type"), state: text("state"),
            protection: text("protection"), provenance: text("provenance"), createdAt: number("created_at"),
            destroyAt: optionalNumber("destroy_at"), publicKey: optionalBytes("public_key"), versions: versions,
            authenticator: isAccepted ? bytes("authenticator") : [])
    }

    var didKeyRecord: DIDKeyRecord {
        DIDKeyRecord(
            did: text("did"), lockKind: text("lock_kind"), lockIdentity: text("lock_identity"),
            sealed: bytes("sealed"), createdAt: number("created_at"))
    }

    var keyVersion: KeyRecord.Version {
        KeyRecord.Version(
            version: UInt64(bitPattern: number("version")), createdAt: number("created_at"), sealed: bytes("sealed"))
    }
}
