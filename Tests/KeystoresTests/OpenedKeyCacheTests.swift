import Encodings
import Testing
import Token
import WorkingKeys

@testable import Keystores

/// One tenant's many keys do not push out another's few.
@Suite(.timeLimit(.minutes(10))) struct OpenedKeyCacheTests {
    private func key(of tenant: String) throws -> OpenedKey {
        let material = try KeyMaterial.generate(.ed25519)
        return OpenedKey(
            type: .ed25519, body: .sealed(try WorkingKey(versions: [material], primary: 0)),
            publicKey: material.publicKey, expires: .now + .seconds(600), tenant: TokenTenant(ExactText(tenant)))
    }

    private func put(_ cache: OpenedKeyCache, _ keystore: String, _ name: String, _ key: OpenedKey) {
        let address = KeyAddress(keystore: keystore, key: name)
        cache.insert(key, at: address, epoch: cache.epoch(address))
    }

    @Test func aFloodTakesItsOwnPlaces() throws {
        let cache = OpenedKeyCache(capacity: 32, timeToLive: .seconds(600))
        let (quiet, flood) = (try key(of: "quiet"), try key(of: "flood"))
        for number in 0..<4 { put(cache, "q", "\(number)", quiet) }
        // In many keystores, which are one owner's.
        for number in 0..<1_000 { put(cache, "f\(number)", "k", flood) }
        for number in 0..<4 { #expect(cache.find(KeyAddress(keystore: "q", key: "\(number)")) != nil) }
        #expect(cache.count == 32)
        // Each has half: the flood's keys still replace each other, and the quiet one's take theirs.
        for number in 4..<16 { put(cache, "q", "\(number)", quiet) }
        for number in 0..<16 { #expect(cache.find(KeyAddress(keystore: "q", key: "\(number)")) != nil) }
        put(cache, "f", "last", flood)
        #expect(cache.find(KeyAddress(keystore: "f", key: "last")) != nil)
        #expect(cache.count == 32)
    }

    @Test func moreTenantsThanPlacesStayBounded() throws {
        let cache = OpenedKeyCache(capacity: 8, timeToLive: .seconds(600))
        for number in 0..<100 { put(cache, "\(number)", "k", try key(of: "tenant \(number)")) }
        #expect(cache.count == 8)
        #expect(cache.find(KeyAddress(keystore: "99", key: "k")) != nil)
        cache.revoke { _ in true }
        #expect(cache.count == 0)
        for number in 0..<8 { put(cache, "again", "\(number)", try key(of: "one")) }
        #expect(cache.count == 8)
    }
}
