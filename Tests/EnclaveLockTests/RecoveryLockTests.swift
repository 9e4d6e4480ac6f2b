import EnclaveLock
import Encodings
import Foundation
import HybridSealing
import SecretMemory
import TestSupport
import Testing
import Token

@Suite("Lock slots of a home", .timeLimit(.minutes(10))) struct RecoveryLockTests {
    private let lockKey: [UInt8] = Array(1...32)
    private let identity = RecordIdentity(
        tenant: "alice", keystore: "ks", key: "", type: LockRecord.secretType, version: 2)

    private func passphrase(_ text: String) throws -> PassphraseLock {
        try PassphraseLock(passphrase: SharedSecret(try Samples.secret(Array(text.utf8))))
    }

    private func secret() throws -> SharedSecret { SharedSecret(try Samples.secret(lockKey)) }

    /// A home with the slot of its token and one of a passphrase.
    private func home(_ token: MemoryToken, _ words: String = "correct horse battery") async throws -> RecoveryRecord {
        let own = TokenLock(token: token)
        let first = try await RecoveryLock.make(firstSlot: own, createdAt: 1)
        return try await RecoveryLock(record: first, openers: [own]).adding(try passphrase(words), createdAt: 2)
    }

    private func code(_ body: () async throws -> Void) async -> EnclaveLockError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? EnclaveLockError)?.code
        }
    }

    @Test("what one slot sealed another slot opens, without the first lock")
    func anyOneSlotOpens() async throws {
        let token = try MemoryToken()
        let record = try await home(token)
        #expect(record.slots.map(\.id) == [1, 2] && record.slots.map(\.kind) == [.token, .passphrase])
        let sealed = try await RecoveryLock(record: record, openers: [TokenLock(token: token)])
            .seal(try secret(), identity: identity)
        token.fail(with: HSMError(.tokenUnavailable, "away"))
        let stored = try RecoveryRecord(decoding: try record.encoded())
        let both: [any SecretLock] = [TokenLock(token: token), try passphrase("correct horse battery")]
        for openers in [both, Array(both.dropFirst())] {
            let lock = try RecoveryLock(record: stored, openers: openers)
            #expect(Samples.bytes(try await lock.open(sealed, identity: identity)) == lockKey)
        }
    }

    @Test("no lock, a wrong passphrase and an absent token open nothing, and nothing is sealed unproved")
    func whatDoesNotOpen() async throws {
        let token = try MemoryToken()
        let record = try await home(token)
        let sealed = try await RecoveryLock(record: record, openers: [TokenLock(token: token)])
            .seal(try secret(), identity: identity)
        token.fail(with: HSMError(.tokenUnavailable, "away"))
        let cases: [([any SecretLock], EnclaveLockError.Code)] = [
            ([], .noMatchingSlot), ([try passphrase("another passphrase")], .openingFailed),
            ([TokenLock(token: token)], .tokenFailed),
            ([TokenLock(token: try MemoryToken(identity: "fake:9"))], .noMatchingSlot),
            ([TokenLock(token: token), try passphrase("another passphrase")], .tokenFailed),
        ]
        for (openers, expected) in cases {
            let lock = try RecoveryLock(record: record, openers: openers)
            #expect(await code { _ = try await lock.open(sealed, identity: identity) } == expected)
            #expect(await code { _ = try await lock.seal(try secret(), identity: identity) } == expected)
        }
    }

    @Test("another record's identity and an altered byte do not open")
    func boundToTheRecord() async throws {
        let token = try MemoryToken()
        let lock = try RecoveryLock(record: try await home(token), openers: [TokenLock(token: token)])
        let sealed = try await lock.seal(try secret(), identity: identity)
        var other = identity
        other.keystore = "kt"
        #expect(await code { _ = try await lock.open(sealed, identity: other) } == .openingFailed)
        for place in [0, 1087, 1088, 1152, 1153, sealed.count - 1] {
            var altered = sealed
            altered[place] ^= 1
            #expect(await code { _ = try await lock.open(altered, identity: identity) } == .openingFailed)
        }
        #expect(await code { _ = try await lock.open([], identity: identity) } == .openingFailed)
    }

    @Test("a public half, a slot or a number that somebody put there is noticed before anything is sealed to it")
    func theListIsAuthenticated() async throws {
        let token = try MemoryToken()
        let record = try await home(token)
        let stranger = try await RecoveryLock.make(firstSlot: TokenLock(token: try MemoryToken()), createdAt: 1)
        var changed: [RecoveryRecord] = []
        // The stranger's public half, whose private half he has.
        changed.append(record)
        changed[0].recipient = stranger.recipient
        // A slot of his, a slot less, another order, another time.
        changed.append(record)
        changed[1].slots.append(stranger.slots[0])
        changed[1].slots[2].id = 3
        changed[1].next = 4
        changed.append(record)
        changed[2].slots.removeLast()
        changed.append(record)
        changed[3].slots.swapAt(0, 1)
        changed.append(record)
        changed[4].slots[1].createdAt += 1
        for record in changed {
            let lock = try RecoveryLock(record: record, openers: [TokenLock(token: token)])
            #expect(await code { _ = try await lock.seal(try secret(), identity: identity) } == .openingFailed)
            let slot = try #require(record.slots.first { $0.kind == .token })
            #expect(await code { try await lock.test(slot) } == .openingFailed)
        }
    }

    @Test("a removed slot opens nothing more, and its number is not given again")
    func removing() async throws {
        let token = try MemoryToken()
        let own = TokenLock(token: token)
        let record = try await home(token)
        let before = try RecoveryLock(record: record, openers: [own])
        let sealed = try await before.seal(try secret(), identity: identity)
        let removed = try await before.removing(2)
        #expect(removed.slots.map(\.id) == [1])
        let words = try passphrase("correct horse battery")
        let without = try RecoveryLock(record: removed, openers: [words])
        #expect(await code { _ = try await without.open(sealed, identity: identity) } == .noMatchingSlot)
        let again = try await RecoveryLock(record: removed, openers: [own]).adding(words, createdAt: 3)
        #expect(again.slots.map(\.id) == [1, 3])
        #expect(
            await code { _ = try await RecoveryLock(record: again, openers: [own]).removing(9) } == .invalidArgument)
        #expect(
            await code { _ = try await RecoveryLock(record: removed, openers: [own]).removing(1) } == .invalidArgument)
        #expect(
            await code { _ = try await RecoveryLock(record: removed, openers: [own]).adding(own, createdAt: 4) }
                == .invalidArgument)
    }

    @Test("what is no list of slots is refused with a remedy")
    func strangeLists() async throws {
        let record = try await home(try MemoryToken())
        var bad: [RecoveryRecord] = Array(repeating: record, count: 5)
        bad[0].version = 2
        bad[1].slots = []
        bad[2].slots.append(record.slots[0])
        bad[3].recipient = Data(record.recipient.dropLast())
        bad[4].next = 2
        for record in bad {
            let bytes = try record.encoded()
            #expect(await code { _ = try RecoveryRecord(decoding: bytes) } == .configurationRefused)
        }
        for text in ["", "{}", "[]", String(repeating: " ", count: RecoveryRecord.longest + 1)] {
            #expect(await code { _ = try RecoveryRecord(decoding: Array(text.utf8)) } == .configurationRefused)
        }
    }

    @Test("as many slots of as many people as may be are written and read again")
    func theLongestList() async throws {
        let token = try MemoryToken()
        let own = TokenLock(token: token)
        var record = try await RecoveryLock.make(firstSlot: own, createdAt: 1)
        var people: [any SecretLock] = []
        for _ in 1...PeopleLock.most {
            let key = try await RecoveryLock.make(firstSlot: own, createdAt: 1).recipient
            people.append(try HybridSlotLock(recipient: try HybridRecipient([UInt8](key))))
        }
        while record.slots.count < RecoveryRecord.mostSlots {
            let lock = try PeopleLock(members: people, threshold: 2)
            record = try await RecoveryLock(record: record, openers: [own]).adding(lock, createdAt: 2)
        }
        #expect(try RecoveryRecord(decoding: try record.encoded()) == record)
    }

    @Test("a slot that is sealed to a public key cannot be opened here")
    func publicSlots() async throws {
        let token = try MemoryToken()
        let own = TokenLock(token: token)
        let record = try await RecoveryLock.make(firstSlot: own, createdAt: 1)
        // Any public key of the right form, such as another home's.
        let other = try await RecoveryLock.make(firstSlot: own, createdAt: 1)
        let recipient = try HybridRecipient([UInt8](other.recipient))
        let lock = try HybridSlotLock(recipient: recipient)
        let filled = try await RecoveryLock(record: record, openers: [own]).adding(lock, createdAt: 2)
        #expect(filled.slots[1].identity == "hybrid:\(try recipient.fingerprint)")
        let opener = try RecoveryLock(record: filled, openers: [own, lock])
        #expect(await code { try await opener.test(filled.slots[1]) } == .noMatchingSlot)
        try await opener.test(filled.slots[0])
    }

    @Test("a keystore that is made with slots opens by its lock and by the recovery key")
    func recordsOfKeystores() async throws {
        let token = try MemoryToken()
        let own = TokenLock(token: token)
        let recovery = try RecoveryLock(record: try await home(token), openers: [own])
        let record = try await LockRecord.make(
            sealing: try secret(), with: own, recovery: recovery, tenant: "alice", keystore: "ks", createdAt: 1)
        #expect(record.slots.map(\.kind) == [.token, .recovery])
        for locks: [any SecretLock] in [[own], [recovery]] {
            let opened = try await record.open(with: locks, tenant: "alice", keystore: "ks")
            #expect(Samples.bytes(opened) == lockKey)
        }
        let alone = try await LockRecord.make(
            sealing: try secret(), with: recovery, recovery: recovery, tenant: "alice", keystore: "ks", createdAt: 1)
        #expect(alone.slots.map(\.kind) == [.recovery])
    }
}
