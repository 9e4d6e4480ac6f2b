import Anchors
public import EnclaveLock
import Encodings
import Foundation
import GRDB
public import Storage
import Token

/// The records of split keys that depend on a token, in the order in which they are moved, and their file.
public struct SplitKeyMoves: Sendable {
    public let stores: [any TokenSealedStore]
    public let seal: StateSeal

    /// Those of the vault's role.
    public static func vault(path: String) throws -> SplitKeyMoves {
        let store = try VaultStore(path: path)
        let masters = SealedRowsMove.Table(name: "masters", key: "client_id", column: "sealed") { row in
            guard let master = VaultStore.master(row) else { throw SplitKeyError.damaged("wallet") }
            return SealedRowsMove.Part(sealed: master.sealed, context: master.context)
        }
        let splits = SealedRowsMove.Table(name: "splits", key: "public_key", column: "sealed") { row in
            guard let split = VaultStore.split(row) else { throw SplitKeyError.damaged("split key") }
            // A share that was given out once only.
            if split.sealed.isEmpty { return nil }
            return SealedRowsMove.Part(sealed: split.sealed, context: split.context)
        }
        return SplitKeyMoves(
            stores: [
                SealedRowsMove(kind: "wallets", pool: store.pool, seal: store.seal, role: .rootLock, table: masters),
                SealedRowsMove(
                    kind: "user shares", pool: store.pool, seal: store.seal, role: .shareLockUser, table: splits),
            ], seal: store.seal)
    }

    /// Those of the co-signing role; anchors that the token holds are not among them, see ``heldAnchors(ofFile:)``.
    public static func authority(path: String) throws -> SplitKeyMoves {
        let store = try AuthorityStore(path: path)
        let shares = SealedRowsMove.Table(name: "shares", key: "peer_key", column: "sealed") { row in
            guard let share = AuthorityStore.share(row) else { throw SplitKeyError.damaged("split key") }
            if share.sealed.isEmpty { return nil }
            return SealedRowsMove.Part(sealed: share.sealed, context: try share.context())
        }
        let anchors = SealedRowsMove.Table(
            name: "anchors", key: "id", column: "record",
            part: { row in
                let (anchor, record) = try Self.anchor(row)
                guard record.mode == .sealed else { return nil }
                return SealedRowsMove.Part(sealed: record.blob, context: try record.sealingContext(anchor.identity))
            },
            enclose: { sealed, secret in
                var record = try JSONDecoder().decode(AnchorRecord.self, from: Data(secret.content))
                record.blob = sealed
                return [UInt8](try JSONEncoder().encode(record))
            },
            disclose: { form in try JSONDecoder().decode(AnchorRecord.self, from: Data(form)).blob })
        return SplitKeyMoves(
            stores: [
                SealedRowsMove(
                    kind: "server shares", pool: store.pool, seal: store.seal, role: .shareLockServer, table: shares),
                SealedRowsMove(
                    kind: "anchors", pool: store.pool, seal: store.seal, role: .shareLockServer, table: anchors),
            ], seal: store.seal)
    }

    /// Anchors in a store that is only read whose scalar the token holds, or alone unwraps.
    public static func heldAnchors(ofFile path: String) throws -> Int {
        let queue = try SQLiteFile.openReadOnly(path: path, label: "anchors", schema: AuthorityStore.schema)
        defer { try? queue.close() }
        return try queue.read { db in
            let rows = try Row.fetchCursor(db, sql: "SELECT * FROM anchors")
            var count = 0
            while let row = try rows.next() {
                // A record that cannot be read is not known to be movable.
                if (try? anchor(row))?.record.mode != .sealed { count += 1 }
            }
            return count
        }
    }

    private static func anchor(_ row: Row) throws -> (row: AnchorRow, record: AnchorRecord) {
        let anchor = AuthorityStore.anchor(row)
        guard let record = try? JSONDecoder().decode(AnchorRecord.self, from: Data(anchor.record)) else {
            throw SplitKeyError.damaged("anchor")
        }
        return (anchor, record)
    }
}
