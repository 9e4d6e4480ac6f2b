import Testing
import Token

@testable import HSMBridge

@Suite(.timeLimit(.minutes(10))) struct ResidentCacheTests {
    private static func blob(_ number: UInt8) -> ResidentKeyBlob {
        ResidentKeyBlob(
            identifier: Array(repeating: number, count: 16), algorithm: .aes256, wrapped: [number], publicKey: nil)
    }

    @Test func theOldestUnusedKeyLeavesFirst() throws {
        let cache = ResidentCache<ResidentKeyBlob>(limit: 2)
        for number in UInt8(1)...2 {
            #expect(cache.insert(ObjectHandle(number), for: Self.blob(number)).destroy == [])
            #expect(cache.release(Self.blob(number).identifier, ObjectHandle(number)) == [])
        }
        #expect(try cache.acquire(Self.blob(1)) == 1)
        #expect(cache.release(Self.blob(1).identifier, 1) == [])
        #expect(cache.insert(3, for: Self.blob(3)).destroy == [2])
        #expect(try cache.acquire(Self.blob(2)) == nil)
    }

    @Test func aKeyInUseIsNotDestroyed() throws {
        let cache = ResidentCache<ResidentKeyBlob>(limit: 1)
        _ = cache.insert(1, for: Self.blob(1))
        #expect(cache.insert(2, for: Self.blob(2)).destroy == [], "both are in use: the limit gives way")
        #expect(cache.count == 2)
        #expect(cache.release(Self.blob(1).identifier, 1) == [1])
        #expect(cache.release(Self.blob(2).identifier, 2) == [])
        #expect(cache.count == 1)
    }

    @Test func forgettingWaitsForTheLastUser() throws {
        let cache = ResidentCache<ResidentKeyBlob>(limit: 8)
        _ = cache.insert(1, for: Self.blob(1))
        #expect(try cache.acquire(Self.blob(1)) == 1)
        #expect(cache.forget(Self.blob(1).identifier) == nil)
        #expect(try cache.acquire(Self.blob(1)) == nil)
        #expect(cache.insert(9, for: Self.blob(1)).use == 9, "unwrapped anew meanwhile")
        #expect(cache.release(Self.blob(1).identifier, 1) == [])
        #expect(cache.release(Self.blob(1).identifier, 1) == [1])
        #expect(cache.release(Self.blob(1).identifier, 9) == [])
        #expect(cache.forget(Self.blob(1).identifier) == 9)
        #expect(cache.forget(Self.blob(1).identifier) == nil)
    }

    @Test func theFasterOfTwoThreadsWins() {
        let cache = ResidentCache<ResidentKeyBlob>(limit: 8)
        #expect(cache.insert(1, for: Self.blob(1)) == (1, []))
        #expect(cache.insert(2, for: Self.blob(1)) == (1, [2]))
    }

    @Test func anotherBlobOfTheSameIdentifierIsRefused() {
        let cache = ResidentCache<ResidentKeyBlob>(limit: 8)
        _ = cache.insert(1, for: Self.blob(1))
        var other = Self.blob(1)
        other.wrapped = [99]
        let error = #expect(throws: HSMError.self) { try cache.acquire(other) }
        #expect(error?.code == .keyMismatch)
    }
}
