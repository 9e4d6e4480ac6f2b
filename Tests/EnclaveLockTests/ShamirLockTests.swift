import Encodings
import Foundation
import SecretMemory
import TestSupport
import Testing

@testable import EnclaveLock

/// Values from the keystore specification's vectors (secretlock_and_storage.json).
@Suite("Locks of two shares", .timeLimit(.minutes(10)))
struct ShamirLockTests {
    private static let secret = hex("97db15023e01d50e929290c1a9e740fdd9bccb3f199403b57b9f818ca3031348")
    private static let first = hex("0172abf6d7ddea42ec3038b85af8a8d290c6efa2a4207e77bf92711e8ebca37317")
    private static let second = hex("7e3339cecc08d4b89099618c2aebab7712daa2351e422aa9312a29011b36a12dc4")
    private static let lockKey = hex("5fef5e73c31547a0316d22709d31a67dc2683cdcae01fc75ea27cdaa9f9e856e")

    private static func secret(_ bytes: [UInt8]) throws -> SharedSecret {
        SharedSecret(try SecretBytes.make(count: bytes.count) { $0.copyBytes(from: bytes) })
    }

    private struct Source: ShareSource {
        let shares: [String: [UInt8]]
        func share(of user: String) async throws(EnclaveLockError) -> SharedSecret {
            guard let share = shares[user], let secret = try? ShamirLockTests.secret(share) else {
                throw EnclaveLockError(.remoteFailed, "no such user")
            }
            return secret
        }
    }

    @Test func sharesCombineInEitherOrderAndTheLockKeyIsDerivedAsSpecified() throws {
        let (first, second) = (try Self.secret(Self.first), try Self.secret(Self.second))
        for (left, right) in [(first, second), (second, first)] {
            #expect(try ShamirShares.combine(left, right).withUnsafeBytes { Array($0) } == Self.secret)
        }
        #expect(try ShamirLock.lockKey(first, second).withUnsafeBytes { Array($0) } == Self.lockKey)
    }

    @Test func theFieldsProductAndInverseAreThoseOfRepeatedAddition() {
        func slowProduct(_ left: Int, _ right: Int) -> UInt8 {
            var product = 0
            for bit in 0..<8 where right >> bit & 1 == 1 { product ^= left << bit }
            for bit in (8..<15).reversed() where product >> bit & 1 == 1 { product ^= 0x11b << (bit - 8) }
            return UInt8(product)
        }
        for left in 0...255 {
            for right in 0...255 {
                #expect(ShamirShares.multiply(UInt8(left), UInt8(right)) == slowProduct(left, right))
            }
            if left > 0 { #expect(ShamirShares.multiply(UInt8(left), ShamirShares.invert(UInt8(left))) == 1) }
        }
    }

    @Test func impossiblePairsOfSharesAreRefused() throws {
        var zero = Self.first
        zero[32] = 0
        var same = Self.second
        same[32] = Self.first[32]
        for other in [Self.first, zero, same, Array(Self.second.dropFirst()), Self.second + [1], [], [5]] {
            let error = #expect(throws: EnclaveLockError.self) {
                _ = try ShamirShares.combine(try Self.secret(Self.first), try Self.secret(other)).count
            }
            #expect(error?.code == .shareRefused)
        }
    }

    @Test func aRecordOpensWithThePairThatSealedItOnly() async throws {
        let lock = ShamirLock(source: Source(shares: ["alice": Self.second, "bob": Self.first]))
        let identity = RecordIdentity(tenant: "t", keystore: "k", key: "", type: "x", version: 1)
        let alice = CallerShare(user: "alice", share: try Self.secret(Self.first))
        let content = try Self.secret([1, 2, 3])
        let sealed = try await lock.seal(content, identity: identity, caller: alice)
        let opened = try await lock.open(sealed, identity: identity, caller: alice)
        #expect(opened.withUnsafeBytes { Array($0) } == [1, 2, 3])

        var wrong = Self.first
        wrong[0] ^= 1
        for (caller, code) in [
            (CallerShare(user: "alice", share: try Self.secret(wrong)), EnclaveLockError.Code.shareRefused),
            (CallerShare(user: "alice", share: try Self.secret(Self.second)), .shareRefused),
            (CallerShare(user: "bob", share: try Self.secret(Self.first)), .shareRefused),
            (CallerShare(user: "carol", share: try Self.secret(Self.first)), .remoteFailed),
            (CallerShare(user: "", share: try Self.secret(Self.first)), .userMissing),
            (CallerShare(user: "alice", share: nil), .shareMissing),
        ] {
            let error = await #expect(throws: EnclaveLockError.self) {
                try await lock.open(sealed, identity: identity, caller: caller)
            }
            #expect(error?.code == code)
        }
        let error = await #expect(throws: EnclaveLockError.self) { try await lock.open(sealed, identity: identity) }
        #expect(error?.code == .userMissing)
    }

    @Test func whatOneShareOpenedIsNotGivenToACallerWithAnotherNorWaitedFor() async throws {
        let cache = LockKeyCache(timeToLive: .seconds(60), capacity: 10)
        let alice = CallerShare(user: "alice", share: try Self.secret(Self.first))
        let sameAgain = CallerShare(user: "alice", share: try Self.secret(Self.first))
        let key = try Self.secret(Self.lockKey)
        let lease = try await cache.lease(for: "k", caller: alice) { key }
        #expect(lease.expires > ContinuousClock.now)
        let again = try await cache.lease(for: "k", caller: sameAgain) { () async throws(EnclaveLockError) in
            throw .doesNotOpen
        }
        #expect(again.key === key)
        for stranger in [
            CallerShare(user: "alice", share: try Self.secret(Self.second)),
            CallerShare(user: "bob", share: try Self.secret(Self.first)), CallerShare(user: "alice", share: nil),
        ] {
            let error = await #expect(throws: EnclaveLockError.self) {
                try await cache.lease(for: "k", caller: stranger) { () async throws(EnclaveLockError) in
                    throw .shareDoesNotFit
                }
            }
            #expect(error?.code == .shareRefused)
        }
        let other = try await cache.lease(
            for: "k", caller: CallerShare(user: "bob", share: try Self.secret(Self.second))
        ) { key }
        #expect(other.expires <= ContinuousClock.now)
        let brief = try await cache.lease(for: "b", caller: alice, limit: .zero) { key }
        #expect(brief.expires <= ContinuousClock.now)
    }
}
