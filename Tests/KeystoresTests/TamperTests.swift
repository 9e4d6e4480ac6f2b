import Foundation
import GRDB
import Testing

@testable import Keystores

/// Edits the database behind the service's back, as somebody with access to it would.
@Suite("Tampering with the database", .timeLimit(.minutes(10))) struct TamperTests {
    let fixture: Fixture
    let attacker: DatabaseQueue
    init() throws {
        fixture = try Fixture()
        attacker = try fixture.attacker()
    }

    /// Whether anything of the key can still be had from a service that starts now.
    func serves(_ keystore: String, _ key: String) async -> Bool {
        let service = fixture.restarted()
        let uses = [
            await code { _ = try await service.sign(keystore: keystore, key: key, message: Samples.message) },
            await code { _ = try await service.key(keystore: keystore, key: key) },
            await code { _ = try await service.exportKey(keystore: keystore, key: key) },
            await code { _ = try await service.rotateKey(keystore: keystore, key: key, type: "ECDSAP256DER") },
        ]
        return !uses.allSatisfy { [.internal, .notFound, .keystoreLocked].contains($0) }
    }

    /// A column's stored bytes and how to write others of the same type.
    private struct Cell {
        let table: String
        let column: String
        let condition: String
        let value: DatabaseValue

        var bytes: [UInt8] {
            switch value.storage {
            case .blob(let data): [UInt8](data)
            case .string(let text): Array(text.utf8)
            case .int64(let number): withUnsafeBytes(of: number.bigEndian) { Array($0) }
            default: []
            }
        }

        /// The update that stores `bytes`, also where they are no UTF-8.
        func update(_ bytes: [UInt8]) -> (sql: String, argument: DatabaseValue) {
            switch value.storage {
            case .string:
                ("UPDATE \(table) SET \(column) = CAST(? AS TEXT) WHERE \(condition)", Data(bytes).databaseValue)
            case .int64:
                (
                    "UPDATE \(table) SET \(column) = ? WHERE \(condition)",
                    bytes.reduce(Int64(0)) { $0 << 8 | Int64($1) }.databaseValue
                )
            default: ("UPDATE \(table) SET \(column) = ? WHERE \(condition)", Data(bytes).databaseValue)
            }
        }
    }

    private func cells(_ table: String, _ condition: String) async throws -> [Cell] {
        try await attacker.read { db in
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM \(table) WHERE \(condition)") else { return [] }
            return row.map { Cell(table: table, column: $0, condition: condition, value: $1) }
        }
    }

    /// Flips every byte of every column in turn and puts it back.
    private func flipAll(_ cells: [Cell], keystore: String, key: String) async throws {
        // The condition names the row by a column that may itself be flipped, so the row is found by all the others.
        for cell in cells where !cell.bytes.isEmpty {
            for index in cell.bytes.indices {
                var flipped = cell.bytes
                flipped[index] ^= 1 << UInt8(index % 8)
                let (there, back) = (cell.update(flipped), cell.update(cell.bytes))
                let undo = cell.condition.contains("\(cell.column) =") ? try await only(cell) : back.sql
                try await attacker.write { try $0.execute(sql: there.sql, arguments: [there.argument]) }
                let served = await serves(keystore, key)
                try await attacker.write { try $0.execute(sql: undo, arguments: [back.argument]) }
                #expect(!served, "byte \(index) of \(cell.table).\(cell.column) was not noticed")
            }
        }
    }

    /// The undoing update of an identifying column: the table holds one row, so no condition is needed.
    private func only(_ cell: Cell) async throws -> String {
        let rows = try await attacker.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM \(cell.table)") }
        try #require(rows == 1)
        return cell.update(cell.bytes).sql.replacing(" WHERE \(cell.condition)", with: "")
    }

    @Test func everyFlippedByteOfAKeystoreAKeyAndAVersionIsRefusedAndUndoneItServesAgain() async throws {
        let keystore = try await fixture.service.createKeystore(
            controller: "did:key:alice", protection: .sealed, lock: nil, vault: nil
        ) {
            Array("capability of \($0)".utf8)
        }.id
        let key = try await fixture.service.createKey(keystore: keystore, type: "ECDSAP256DER").id
        try await flipAll(
            cells("keystores", "id = '\(keystore)'"), keystore: keystore, key: key)
        try await flipAll(
            cells("keys", "keystore = '\(keystore)' AND id = '\(key)'"), keystore: keystore, key: key)
        try await flipAll(
            cells("key_versions", "keystore = '\(keystore)' AND key = '\(key)'"), keystore: keystore, key: key)
        _ = try await fixture.restarted().sign(keystore: keystore, key: key, message: Samples.message)
    }

    @Test(
        "Each plain column of a key is authenticated, absent values included",
        arguments: [
            "state = 'enabled'", "provenance = 'born-in-token'", "protection = 'resident'",
            "type = 'ECDSAP256IEEEP1363'",
            "created_at = created_at + 1", "destroy_at = 5", "public_key = NULL", "public_key = x'00'",
            "authenticator = zeroblob(32)", "authenticator = x''",
        ])
    func eachPlainColumnOfAKeyIsAuthenticatedAbsentValuesIncluded(edit: String) async throws {
        let keystore = try await fixture.keystore()
        let key = try await fixture.service.createKey(keystore: keystore, type: "ECDSAP256DER").id
        _ = try await fixture.service.disableKey(keystore: keystore, key: key)
        try await attacker.write { try $0.execute(sql: "UPDATE keys SET \(edit)") }
        #expect(await !serves(keystore, key))
        let listed = try await fixture.restarted().keys(keystore: keystore, after: nil, limit: 9).items
        #expect(listed.map(\.state) == [.damaged])
        #expect(listed.map(\.publicKey) == [nil])
        #expect(await code { _ = try await fixture.restarted().enableKey(keystore: keystore, key: key) } == .internal)
    }

    @Test func versionsCannotBeDroppedAddedOrRenumbered() async throws {
        let keystore = try await fixture.keystore()
        var key = try await fixture.service.createKey(keystore: keystore, type: "ECDSAP256DER").id
        key = try await fixture.service.rotateKey(keystore: keystore, key: key, type: "ECDSAP256DER")
        for edit in [
            "DELETE FROM key_versions WHERE version = 2", "DELETE FROM key_versions WHERE version = 1",
            "DELETE FROM key_versions", "UPDATE key_versions SET version = 3 WHERE version = 2",
            "UPDATE key_versions SET created_at = created_at + 1 WHERE version = 1",
            "INSERT INTO key_versions SELECT keystore, key, 3, created_at, sealed FROM key_versions WHERE version = 1",
            "UPDATE key_versions SET sealed = (SELECT sealed FROM key_versions WHERE version = 1) WHERE version = 2",
        ] {
            let before = try await attacker.read { db in
                try Row.fetchAll(db, sql: "SELECT * FROM key_versions").map { Array($0.databaseValues) }
            }
            try await attacker.write { try $0.execute(sql: edit) }
            #expect(await !serves(keystore, key), "\(edit)")
            try await attacker.write { db in
                try db.execute(sql: "DELETE FROM key_versions")
                for row in before {
                    try db.execute(
                        sql: "INSERT INTO key_versions VALUES (?, ?, ?, ?, ?)",
                        arguments: StatementArguments(row))
                }
            }
        }
        _ = try await fixture.restarted().sign(keystore: keystore, key: key, message: Samples.message)
    }

    @Test func twoRowsExchangedOpenNeither() async throws {
        let keystore = try await fixture.keystore()
        let (one, two) = (
            try await fixture.service.createKey(keystore: keystore, type: "ECDSAP256DER").id,
            try await fixture.service.createKey(keystore: keystore, type: "ECDSAP256DER").id
        )
        // The envelopes alone, then all but the names.
        try await exchange("key_versions", "key", ["sealed"], one, two)
        #expect(await !serves(keystore, one))
        #expect(await !serves(keystore, two))
        try await exchange(
            "keys", "id", ["created_at", "public_key", "authenticator"], one, two)
        #expect(await !serves(keystore, one))
        #expect(await !serves(keystore, two))
    }

    private func exchange(
        _ table: String, _ name: String, _ columns: [String], _ one: String, _ two: String
    ) async throws {
        try await attacker.write { db in
            for column in columns {
                let values = try [one, two].map { id in
                    try DatabaseValue.fetchOne(
                        db, sql: "SELECT \(column) FROM \(table) WHERE \(name) = ?", arguments: [id])
                }
                for (id, value) in zip([two, one], values) {
                    try db.execute(
                        sql: "UPDATE \(table) SET \(column) = ? WHERE \(name) = ?", arguments: [value, id])
                }
            }
        }
    }
}
