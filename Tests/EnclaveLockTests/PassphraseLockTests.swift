import Encodings
import SecretMemory
import TestSupport
import Testing

@testable import EnclaveLock

@Suite("The passphrase lock", .timeLimit(.minutes(10)))
struct PassphraseLockTests {
    private static func passphrase(_ text: String) throws -> SharedSecret {
        SharedSecret(try SecretBytes.make(count: text.utf8.count) { $0.copyBytes(from: text.utf8) })
    }

    private static let identity = RecordIdentity(tenant: "t", keystore: "k", key: "", type: "x", version: 1)

    @Test func aRecordOpensWithTheSamePassphraseInAnotherProcessAndWithNoOther() async throws {
        let lock = try PassphraseLock(passphrase: try Self.passphrase("correct horse battery"))
        let sealed = try await lock.seal(try Self.passphrase("secret"), identity: Self.identity)
        #expect(sealed.count == PassphraseLock.headerLength + Envelope.overhead + 6)
        let again = try PassphraseLock(passphrase: try Self.passphrase("correct horse battery"))
        let opened = try await again.open(sealed, identity: Self.identity)
        #expect(opened.withUnsafeBytes { Array($0) } == Array("secret".utf8))
        let other = try PassphraseLock(passphrase: try Self.passphrase("correct horse batterz"))
        var elsewhere = Self.identity
        elsewhere.keystore = "other"
        for (lock, identity) in [(other, Self.identity), (again, elsewhere)] {
            let error = await #expect(throws: EnclaveLockError.self) {
                try await lock.open(sealed, identity: identity)
            }
            #expect(error?.code == .openingFailed)
        }
    }

    @Test func alteredBytesDoNotOpenAndNeverRaiseTheCost() async throws {
        let lock = try PassphraseLock(passphrase: try Self.passphrase("correct horse battery"))
        let sealed = try await lock.seal(try Self.passphrase("secret"), identity: Self.identity)
        var mutator = Mutator(seed: 4)
        for _ in 0..<500 {
            var bytes = mutator.mutate(sealed)
            // Another salt is another derivation, which the cost check has let through already.
            if bytes.count >= PassphraseLock.headerLength {
                bytes.replaceSubrange(8..<PassphraseLock.headerLength, with: sealed[8..<PassphraseLock.headerLength])
            }
            guard bytes != sealed else { continue }
            let altered = bytes
            let error = await #expect(throws: EnclaveLockError.self) {
                try await lock.open(altered, identity: Self.identity)
            }
            #expect(error?.code == .openingFailed)
        }
    }

    @Test func aPassphraseThatIsTooShortIsRefused() {
        #expect(throws: EnclaveLockError.self) { try PassphraseLock(passphrase: try Self.passphrase("short")) }
    }
}
