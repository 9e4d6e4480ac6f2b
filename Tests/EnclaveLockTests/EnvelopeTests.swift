import EnclaveLock
import Encodings
import SecretMemory
import Testing

@Suite("Envelope", .timeLimit(.minutes(10))) struct EnvelopeTests {
    let lockKey: SharedSecret
    init() throws { lockKey = SharedSecret(try SecretBytes.random(count: 32)) }

    private func seal(_ bytes: [UInt8]) throws -> [UInt8] {
        let secret = try Samples.secret(bytes)
        return try lockKey.withSecret { try Envelope.seal(secret, lockKey: $0, identity: Samples.identity) }
    }

    private func open(_ envelope: [UInt8], _ identity: RecordIdentity = Samples.identity) throws -> [UInt8] {
        Samples.bytes(try lockKey.withSecret { try Envelope.open(envelope, lockKey: $0, identity: identity) })
    }

    /// Expects the one error of everything that does not open.
    private func expectRefused(_ envelope: [UInt8], _ identity: RecordIdentity = Samples.identity) {
        let error = #expect(throws: EnclaveLockError.self) { try open(envelope, identity) }
        #expect(error?.code == .openingFailed)
        #expect(error?.message == "The sealed record does not open.")
    }

    @Test(arguments: [0, 1, 32, 33, 4_096, 100_000]) func opensWhatItSealed(count: Int) throws {
        let bytes = [UInt8](repeating: 7, count: count)
        let envelope = try seal(bytes)
        #expect(envelope.count == count + Envelope.overhead)
        #expect(try open(envelope) == bytes)
    }

    @Test func twoEnvelopesOfOneSecretShareNoSaltNonceCommitmentOrCiphertext() throws {
        let (one, two) = (try seal([1, 2, 3]), try seal([1, 2, 3]))
        #expect(one[..<6] == two[..<6])
        #expect(one[6..<38] != two[6..<38])
        #expect(one[38..<50] != two[38..<50])
        #expect(one[50..<82] != two[50..<82])
        #expect(one[82...] != two[82...])
    }

    @Test func everyFlippedBitIsRefused() throws {
        let envelope = try seal(Array("a secret of the keystore".utf8))
        for index in envelope.indices {
            for bit in 0..<8 {
                var altered = envelope
                altered[index] ^= 1 << bit
                expectRefused(altered)
            }
        }
    }

    @Test func truncatedExtendedAndEmptyAreRefused() throws {
        let envelope = try seal([1, 2, 3, 4])
        for count in 0..<envelope.count { expectRefused(Array(envelope[..<count])) }
        expectRefused(envelope + [0])
        expectRefused(Array(envelope[1...]))
    }

    @Test(arguments: Samples.otherIdentities)
    func anotherIdentityIsRefused(other: RecordIdentity) throws {
        expectRefused(try seal([1, 2, 3]), other)
    }

    @Test func anotherLockKeyIsRefused() throws {
        let envelope = try seal([1, 2, 3])
        let other = try SecretBytes.random(count: 32)
        let short = try SecretBytes.random(count: 16)
        for result in [
            Result { Samples.bytes(try Envelope.open(envelope, lockKey: other, identity: Samples.identity)) },
            Result { Samples.bytes(try Envelope.open(envelope, lockKey: short, identity: Samples.identity)) },
        ] {
            let error = #expect(throws: EnclaveLockError.self) { try result.get() }
            #expect(error?.code == .openingFailed)
        }
    }

    @Test func aCommitmentExchangedWithAnotherEnvelopesIsRefused() throws {
        let (one, two) = (try seal([1, 2, 3]), try seal([1, 2, 3]))
        expectRefused(Array(one[..<50] + two[50..<82] + one[82...]))
    }

    @Test func aLockKeyOfAnotherLengthSealsNothing() throws {
        let short = try SecretBytes.random(count: 31)
        let secret = try Samples.secret([1])
        let result = Result { try Envelope.seal(secret, lockKey: short, identity: Samples.identity) }
        #expect(throws: EnclaveLockError.self) { try result.get() }
    }
}
