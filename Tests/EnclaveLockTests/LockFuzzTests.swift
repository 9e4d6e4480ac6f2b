import Foundation
import SecretMemory
import TestSupport
import Testing

@testable import EnclaveLock

/// Mutated shares, lock records and envelopes; the same seeds give the same mutations.
@Suite(.timeLimit(.minutes(10))) struct LockFuzzTests {
    @Test func sharesOfEveryFormAreCombinedOrRefused() throws {
        let first: [UInt8] = [9, 8, 7, 6, 5, 1]
        var mutator = Mutator(seed: 91)
        for _ in 0..<5_000 {
            let (one, other) = (mutator.mutate(first), mutator.mutate([1, 2, 3, 4, 5, 2]))
            guard !one.isEmpty, !other.isEmpty else { continue }
            do {
                let combined = try ShamirShares.combine(SharedSecret(try secret(one)), SharedSecret(try secret(other)))
                #expect(combined.count == one.count - 1)
                #expect(one.count == other.count && one.last != other.last && one.last != 0 && other.last != 0)
            } catch let error as EnclaveLockError {
                #expect(error.code == .shareRefused)
            }
        }
    }

    @Test func lockRecordsAreReadOrRefused() async throws {
        let record = LockRecord(slots: [
            LockSlot(id: 1, kind: .shamir, identity: "shamir:2of2", sealed: Data([1, 2, 3]), createdAt: 5),
            LockSlot(id: 2, kind: .aws, identity: "arn", sealed: Data(repeating: 4, count: 80), createdAt: 6),
        ])
        let bytes = try record.encoded()
        var mutator = Mutator(seed: 92)
        var read = 0
        for _ in 0..<10_000 {
            do throws(EnclaveLockError) {
                let mutated = try LockRecord(decoding: mutator.mutate(bytes))
                read += 1
                #expect(!mutated.slots.isEmpty && mutated.slots.allSatisfy { $0.id > 0 })
                // An edited record may ask for no share; its keystore's row is no longer authentic then.
                #expect(mutated.needsShare == mutated.slots.contains { $0.kind == .shamir })
            } catch {
                #expect(error.code == .openingFailed)
            }
        }
        #expect(read > 100)
    }
}
