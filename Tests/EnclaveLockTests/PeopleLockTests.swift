import Foundation
import SecretMemory
import Testing

@testable import EnclaveLock

@Suite("Locks of several people", .timeLimit(.minutes(10))) struct PeopleLockTests {
    private let secret: [UInt8] = Array(1...96)

    private func lock(_ name: String) throws -> LocalFileLock {
        // A lock for each person, without the cost of a passphrase.
        try LocalFileLock(key: try Samples.secret(Array((name + String(repeating: ".", count: 32)).utf8.prefix(32))))
    }

    private func code(_ body: () async throws -> Void) async -> EnclaveLockError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? EnclaveLockError)?.code
        }
    }

    @Test("any choice of as many shares as the threshold gives the secret, and one fewer does not")
    func everyChoice() throws {
        for (threshold, count) in [(2, 2), (2, 3), (3, 5), (5, 5), (2, 16), (16, 16)] {
            let shares = try ThresholdShares.split(try Samples.secret(secret), threshold: threshold, count: count)
            #expect(shares.map { Samples.bytes($0).last ?? 0 } == Array(1...UInt8(count)))
            for start in 0..<count {
                let chosen = (0..<threshold).map { shares[(start + $0) % count] }
                #expect(Samples.bytes(try ThresholdShares.combine(chosen)) == secret)
                let fewer = try ThresholdShares.combine(Array(chosen.dropLast()))
                #expect(Samples.bytes(fewer) != secret)
            }
        }
    }

    @Test("two shares are those of the lock of two shares")
    func agreesWithTheOtherForm() throws {
        let shares = try ThresholdShares.split(try Samples.secret(secret), threshold: 2, count: 4)
        #expect(Samples.bytes(try ShamirShares.combine(shares[1], shares[3])) == secret)
        let again = try ThresholdShares.split(try Samples.secret(secret), threshold: 2, count: 4)
        #expect(Samples.bytes(shares[0]) != Samples.bytes(again[0]))
    }

    @Test("shares that cannot be together are refused")
    func strangeShares() throws {
        let shares = try ThresholdShares.split(try Samples.secret(secret), threshold: 2, count: 3)
        let zero = SharedSecret(try Samples.secret(Array(repeating: 7, count: 96) + [0]))
        let short = SharedSecret(try Samples.secret([1, 2]))
        for wrong in [[], [shares[0], shares[0]], [shares[0], zero], [shares[0], short]] {
            let error = #expect(throws: EnclaveLockError.self) { _ = try ThresholdShares.combine(wrong) }
            #expect(error?.code == .openingFailed)
        }
        for (threshold, count) in [(1, 3), (4, 3), (2, 17), (2, 1)] {
            let error = #expect(throws: EnclaveLockError.self) {
                _ = try ThresholdShares.split(try Samples.secret(secret), threshold: threshold, count: count)
            }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test("people open together what fewer do not, and only for the record it was sealed for")
    func together() async throws {
        let people = try ["anna", "ben", "cleo"].map { try lock($0) }
        let sealed = try await PeopleLock(members: people, threshold: 2)
            .seal(SharedSecret(try Samples.secret(secret)), identity: Samples.identity, caller: nil)
        for pair in [[0, 1], [1, 2], [2, 0], [0, 1, 2]] {
            let here = try PeopleLock(members: pair.map { people[$0] })
            let opened = try await here.open(sealed, identity: Samples.identity)
            #expect(Samples.bytes(opened) == secret)
            #expect(here.hasEnough(for: sealed))
            for identity in Samples.otherIdentities {
                #expect(await code { _ = try await here.open(sealed, identity: identity) } == .noMatchingSlot)
            }
        }
        let alone = try PeopleLock(members: [people[0], try lock("dora")])
        #expect(await code { _ = try await alone.open(sealed, identity: Samples.identity) } == .noMatchingSlot)
        #expect(!alone.hasEnough(for: sealed))
        let all = try PeopleLock(members: people)
        #expect(await code { _ = try await all.open([], identity: Samples.identity) } == .openingFailed)
        #expect(
            await code {
                _ = try await all.seal(
                    SharedSecret(try Samples.secret(secret)), identity: Samples.identity, caller: nil)
            } == .invalidArgument)
        for (count, threshold) in [(1, 1), (3, 1), (3, 4)] {
            #expect(
                await code { _ = try PeopleLock(members: Array(people.prefix(count)), threshold: threshold) }
                    == .invalidArgument)
        }
    }

    @Test("nobody counts as two people, by a passphrase or a key given twice")
    func nobodyIsTwo() async throws {
        func words(_ text: String) throws -> PassphraseLock {
            try PassphraseLock(passphrase: SharedSecret(try Samples.secret(Array(text.utf8))))
        }
        let twice: [[any SecretLock]] = [
            [try words("correct horse battery"), try words("correct horse battery")],
            [try lock("anna"), try words("correct horse battery"), try lock("anna")],
        ]
        for members in twice {
            let error = #expect(throws: EnclaveLockError.self) { _ = try PeopleLock(members: members, threshold: 2) }
            #expect(error?.code == .invalidArgument && error?.message.contains("count as two") == true)
        }
        _ = try PeopleLock(
            members: [try words("correct horse battery"), try words("correct horse batterz")], threshold: 2)
    }
}
