import EnclaveLock
import Encodings
import Foundation
import SecretMemory
import TestSupport
import Testing
import Token

@Suite("Lock slots", .timeLimit(.minutes(10))) struct LockRecordTests {
    private let lockKey: [UInt8] = Array(1...32)

    private func record(_ token: MemoryToken) async throws -> LockRecord {
        try await LockRecord.make(
            sealing: SharedSecret(try Samples.secret(lockKey)), with: TokenLock(token: token), tenant: "alice",
            keystore: "ks", createdAt: 1_700_000_000_000)
    }

    @Test func aRecordOpensAfterARoundTripThroughItsStoredForm() async throws {
        let token = try MemoryToken()
        let decoded = try LockRecord(decoding: try await record(token).encoded())
        #expect(decoded.version == 1)
        #expect(decoded.slots.map(\.id) == [1])
        let opened = try await decoded.open(with: [TokenLock(token: token)], tenant: "alice", keystore: "ks")
        #expect(Samples.bytes(opened) == lockKey)
    }

    @Test func anyOneSlotOpensIt() async throws {
        let (one, two) = (try MemoryToken(identity: "fake:1"), try MemoryToken(identity: "fake:2"))
        var record = try await record(one)
        let sealed = try await TokenLock(token: two).seal(
            SharedSecret(try Samples.secret(lockKey)),
            identity: RecordIdentity(
                tenant: "alice", keystore: "ks", key: "", type: LockRecord.secretType, version: 2))
        record.slots.append(
            LockSlot(id: 2, kind: .token, identity: "fake:2", sealed: .init(sealed), createdAt: 0))
        for token in [one, two] {
            let opened = try await record.open(with: [TokenLock(token: token)], tenant: "alice", keystore: "ks")
            #expect(Samples.bytes(opened) == lockKey)
        }
        // The first slot's token is away: the second serves.
        one.fail(with: HSMError(.tokenUnavailable, "away"))
        let both: [any SecretLock] = [TokenLock(token: one), TokenLock(token: two)]
        #expect(Samples.bytes(try await record.open(with: both, tenant: "alice", keystore: "ks")) == lockKey)
    }

    @Test func anotherKeystoreAnotherTenantAnotherSlotNumberAndAnotherLockAreRefused() async throws {
        let token = try MemoryToken()
        let lock = TokenLock(token: token)
        let record = try await record(token)
        var renumbered = record
        renumbered.slots[0].id = 2
        for (record, tenant, keystore) in [(record, "bob", "ks"), (record, "alice", "kt"), (renumbered, "alice", "ks")]
        {
            let error = await #expect(throws: EnclaveLockError.self) {
                try await record.open(with: [lock], tenant: tenant, keystore: keystore)
            }
            #expect(error?.code == .openingFailed)
        }
        let stranger = TokenLock(token: try MemoryToken(identity: "fake:9"))
        let error = await #expect(throws: EnclaveLockError.self) {
            try await record.open(with: [stranger], tenant: "alice", keystore: "ks")
        }
        #expect(error?.code == .noMatchingSlot)
    }

    @Test func whatIsNotALockRecordIsRefused() async throws {
        for text in ["", "{}", "[]", #"{"version":1,"slots":[]}"#, #"{"version":2,"slots":[]}"#] {
            let error = #expect(throws: EnclaveLockError.self) { try LockRecord(decoding: Array(text.utf8)) }
            #expect(error?.code == .openingFailed)
        }
        var twice = try await record(try MemoryToken())
        twice.slots.append(twice.slots[0])
        #expect(throws: EnclaveLockError.self) { try LockRecord(decoding: try twice.encoded()) }
    }

    @Test func theTokensFailureIsToldApartFromARecordThatDoesNotOpen() async throws {
        let token = try MemoryToken()
        let record = try await record(token)
        token.fail(with: HSMError(.overloaded, "full"))
        let error = await #expect(throws: EnclaveLockError.self) {
            try await record.open(with: [TokenLock(token: token)], tenant: "alice", keystore: "ks")
        }
        #expect(error?.code == .tokenFailed)
        #expect(error?.cause?.code == .overloaded)
    }
}
