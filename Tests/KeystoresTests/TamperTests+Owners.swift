import Foundation
import GRDB
import Testing

@testable import Keystores

extension TamperTests {
    @Test(arguments: [true, false])
    func aRowCopiedFromAnotherKeystoreOrAnotherTenantDoesNotOpen(sameTenant: Bool) async throws {
        let victim = try await fixture.keystore()
        let mine = try await fixture.keystore(sameTenant ? "did:key:alice" : "did:key:mallory")
        let key = try await fixture.service.createKey(keystore: victim, type: "ECDSAP256DER").id
        try await attacker.write { db in
            try db.execute(
                sql: """
                    INSERT INTO keys SELECT ?, id, type, state, protection, provenance, created_at, destroy_at,
                        public_key, authenticator, serial, stamp FROM keys;
                    INSERT INTO key_versions SELECT ?, key, version, created_at, sealed FROM key_versions;
                    """, arguments: [mine, mine])
        }
        #expect(await !serves(mine, key))
        // With the victim's lock record as well.
        try await attacker.write { db in
            try db.execute(
                sql: """
                    UPDATE keystores SET (lock_record, authenticator, created_at) =
                        (SELECT lock_record, authenticator, created_at FROM keystores WHERE id = ?) WHERE id = ?
                    """, arguments: [victim, mine])
        }
        #expect(await !serves(mine, key))
        _ = try await fixture.restarted().sign(keystore: victim, key: key, message: Samples.message)
    }

    @Test func aKeystoreGivenToAnotherControllerDoesNotOpen() async throws {
        let keystore = try await fixture.keystore()
        let key = try await fixture.service.createKey(keystore: keystore, type: "ECDSAP256DER").id
        try await attacker.write { try $0.execute(sql: "UPDATE keystores SET controller = 'did:key:mallory'") }
        #expect(await !serves(keystore, key))
        #expect(await code { _ = try await fixture.restarted().keystore(keystore) } == .keystoreLocked)
    }

    @Test(arguments: [true, false])
    func aRootCapabilityCannotBeRemovedAndNoneCanBeGiven(present: Bool) async throws {
        let document = Array("a capability".utf8)
        let keystore = try await fixture.service.createKeystore(
            controller: "did:key:alice", protection: .sealed, lock: nil, vault: nil
        ) { _ in
            present ? document : nil
        }.id
        #expect(try await fixture.restarted().rootCapability(keystore) == (present ? document : nil))
        try await attacker.write { db in
            try db.execute(
                sql: "UPDATE keystores SET capability = ?", arguments: [present ? nil : Data(document)])
        }
        #expect(await code { _ = try await fixture.restarted().rootCapability(keystore) } == .internal)
    }

    @Test func aDestructionCannotBeBroughtAboutByEditing() async throws {
        let keystore = try await fixture.keystore()
        let key = try await fixture.service.createKey(keystore: keystore, type: "ECDSAP256DER").id
        try await attacker.write { db in
            try db.execute(sql: "UPDATE keys SET state = 'pending-destruction', destroy_at = 1")
        }
        #expect(try await fixture.restarted().sweep() == 0)
        try await attacker.write { try $0.execute(sql: "UPDATE keys SET state = 'enabled', destroy_at = NULL") }
        _ = try await fixture.restarted().sign(keystore: keystore, key: key, message: Samples.message)
    }

    @Test func onePoisonedRecordFailsAloneListingsTheSweepAndTheOtherKeysGoOn() async throws {
        let keystore = try await fixture.keystore()
        let keys = try await (0..<5).asyncMap { _ in
            try await fixture.service.createKey(keystore: keystore, type: "ECDSAP256DER").id
        }
        _ = try await fixture.service.destroyKey(keystore: keystore, key: keys[3], grace: .seconds(1))
        _ = try await fixture.service.destroyKey(keystore: keystore, key: keys[4], grace: .seconds(1))
        try await attacker.write { db in
            try db.execute(
                sql: "UPDATE key_versions SET sealed = randomblob(length(sealed)) WHERE key = ?", arguments: [keys[0]])
            try db.execute(
                sql: "UPDATE keys SET provenance = 'none', created_at = -1 WHERE id = ?", arguments: [keys[1]])
            try db.execute(sql: "UPDATE keys SET type = '' WHERE id = ?", arguments: [keys[3]])
        }
        let service = fixture.restarted()
        #expect(await code { _ = try await service.sign(keystore: keystore, key: keys[0], message: []) } == .internal)
        #expect(await code { _ = try await service.sign(keystore: keystore, key: keys[1], message: []) } == .internal)
        _ = try await service.sign(keystore: keystore, key: keys[2], message: [])
        let listed = try await service.keys(keystore: keystore, after: nil, limit: 9).items
        let states = Dictionary(uniqueKeysWithValues: listed.map { ($0.id, $0.state) })
        #expect(keys.map { states[$0] } == [.enabled, .damaged, .enabled, .damaged, .pendingDestruction])
        fixture.advance(seconds: 2)
        #expect(try await fixture.service.sweep() == 1)
    }
}
