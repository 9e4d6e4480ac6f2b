import EnclaveLock
import Glibc
import SecretMemory
import TestSupport
import Testing

@testable import Keystores

/// After a key's time is over, neither it nor its keystore's lock key is anywhere in this process's memory. Runs in a
/// process of its own, where nothing else allocates.
@Suite("Memory after use", .timeLimit(.minutes(10))) struct MemoryResidueTests {
    @Test(arguments: ["expired", "destroyed"])
    func workingKeysAndLockKeysAreGoneWhenTheirTimeIsOver(ending: String) async throws {
        await #expect(processExitsWith: .success) { [ending = ending as String] in
            // Kept inverted, so that this process holds the plain seed only where the service puts it.
            let inverted = (0..<32).map { _ in UInt8.random(in: 1...254) }
            let scans = [MemoryScan(inverted: inverted), MemoryScan(inverted: try await Self.live(inverted, ending))]
            for scan in scans { #expect(try scan.count() == 0) }
        }
    }

    /// Imports, uses and lets go of a key; hands back its keystore's lock key, inverted.
    @inline(never)
    private static func live(_ inverted: [UInt8], _ ending: String) async throws -> [UInt8] {
        var configuration = KeystoreConfiguration()
        configuration.lockKeyTTL = .seconds(5)
        let fixture = try Fixture(configuration: configuration)
        let keystore = try await fixture.keystore()
        _ = try await fixture.service.importKey(
            keystore: keystore, type: "ED25519", pkcs8: try pkcs8(inverted), keyID: "canary")
        // The control: the search does find a living key, unless the machine is so busy that its time is over already.
        var found = 0
        for _ in 0..<20 where found == 0 {
            _ = try await fixture.service.sign(keystore: keystore, key: "canary", message: [1])
            found = try MemoryScan(inverted: inverted).count()
        }
        #expect(found > 0)
        if ending == "destroyed" {
            _ = try await fixture.service.destroyKey(keystore: keystore, key: "canary", grace: .zero)
            #expect(try MemoryScan(inverted: inverted).count() == 0)
        } else {
            _ = try await fixture.service.rotateKey(keystore: keystore, key: "canary", type: "ED25519")
        }
        let lockKey = try await self.lockKey(fixture, keystore)
        for _ in 0..<6_000 where fixture.service.openedKeys.count + fixture.service.lockKeys.count > 0 {
            try await Task.sleep(for: .milliseconds(10))
        }
        return lockKey
    }

    private static func pkcs8(_ inverted: [UInt8]) throws -> SharedSecret {
        let header: [UInt8] = [
            0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
        ]
        return SharedSecret(
            try SecretBytes.make(count: 48) { output in
                output.copyBytes(from: header)
                for index in inverted.indices { output[16 + index] = ~inverted[index] }
            })
    }

    private static func lockKey(_ fixture: Fixture, _ keystore: String) async throws -> [UInt8] {
        let record = try #require(try await fixture.store.keystore(keystore))
        let opened = try await LockRecord(decoding: record.lockRecord)
            .open(with: [fixture.lock], tenant: record.controller, keystore: keystore)
        return opened.withUnsafeBytes { $0.map { ~$0 } }
    }
}
