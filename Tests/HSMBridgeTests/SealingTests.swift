import SecretMemory
import TestSupport
import TestTokens
import Testing
import Token

@testable import HSMBridge

@Suite(.timeLimit(.minutes(10))) struct SealingTests {
    static func secret(_ bytes: [UInt8]) throws -> SharedSecret {
        try bytes.withUnsafeBytes { SharedSecret(try SecretBytes(copying: $0)) }
    }

    static func bytes(_ secret: SharedSecret) -> [UInt8] { secret.withUnsafeBytes { Array($0) } }

    @Test func whatIsSealedOpens() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        for role in KeyRole.sealing {
            for count in [0, 1, 32, 1000, 5000] {
                let plaintext = SystemRandom.bytes(count)
                let sealed = try await token.seal(Self.secret(plaintext), under: role, context: [1, 2, 3])
                #expect(sealed.count == count + 29)
                #expect(sealed[0] == 1)
                let opened = try await token.open(sealed, under: role, context: [1, 2, 3])
                #expect(Self.bytes(opened) == plaintext)
            }
        }
        await token.shutdown()
    }

    @Test func anyFlippedBitAndAnyOtherContextIsRefused() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let context = Array("tenant/keystore".utf8)
        let sealed = try await token.seal(Self.secret(Array(0..<32)), under: .rootLock, context: context)
        for index in sealed.indices {
            var altered = sealed
            altered[index] ^= 1 << UInt8(index % 8)
            let error = await #expect(throws: HSMError.self) {
                try await token.open(altered, under: .rootLock, context: context)
            }
            #expect(error?.code == .authenticationFailed, "byte \(index)")
        }
        for length in 0..<sealed.count {
            let error = await #expect(throws: HSMError.self) {
                try await token.open(Array(sealed.prefix(length)), under: .rootLock, context: context)
            }
            #expect(error?.code == .authenticationFailed, "length \(length)")
        }
        for (role, other) in [(KeyRole.rootLock, [1]), (.shareLockUser, context), (.shareLockServer, context)] {
            let error = await #expect(throws: HSMError.self) {
                try await token.open(sealed, under: role, context: other)
            }
            #expect(error?.code == .authenticationFailed)
        }
        #expect(token.health.isReady)
        #expect(Self.bytes(try await token.open(sealed, under: .rootLock, context: context)) == Array(0..<32))
        await token.shutdown()
    }

    @Test func wrongArgumentsAreRefused() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        for (role, context) in [
            (KeyRole.rootLock, []), (.rootLock, [UInt8](repeating: 0, count: 4097)), (.audit, [1]),
            (.residentWrap, [1]),
        ] {
            let error = await #expect(throws: HSMError.self) {
                try await token.seal(Self.secret([1]), under: role, context: context)
            }
            #expect(error?.code == .invalidArgument)
        }
        let error = await #expect(throws: HSMError.self) { try await token.sign([1], with: .rootLock) }
        #expect(error?.code == .invalidArgument)
        await token.shutdown()
    }

    @Test func auditSignaturesVerifyForAStranger() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let message = Array("checkpoint 1".utf8)
        let signature = try await token.sign(message, with: .audit)
        let publicKey = try await token.publicKey(of: .audit)
        #expect(signature.count == 64)
        #expect(publicKey.fingerprint == token.manifest?[.audit]?.fingerprint)
        #expect(try Stranger.verifies(signature, of: message, publicKey.subjectPublicKeyInfo))
        #expect(try !Stranger.verifies(signature, of: message + [0], publicKey.subjectPublicKeyInfo))
        await token.shutdown()
    }

    @Test func aRestartedDaemonOpensWhatItSealed() async throws {
        let soft = try SoftHSMToken.make()
        let first = try await soft.provisioned()
        let sealed = try await first.seal(Self.secret([7, 8, 9]), under: .rootLock, context: [1])
        let identity = first.sealingIdentity
        let manifest = try #require(first.manifest)
        await first.shutdown()
        let second = PKCS11Token(configuration: soft.configuration(manifest: manifest))
        second.start()
        try await second.waitUntilReady(timeout: .seconds(120))
        #expect(Self.bytes(try await second.open(sealed, under: .rootLock, context: [1])) == [7, 8, 9])
        #expect(second.sealingIdentity == identity)
        let error = await #expect(throws: HSMError.self) { try await second.provision(instance: manifest.instance) }
        #expect(error?.code == .alreadyProvisioned)
        await second.shutdown()
    }

    @Test func noncesNeverRepeat() {
        let source = NonceSource(counter: .max - 500)
        let made = (0..<1000).map { _ in source.next() }
        #expect(Set(made).count == 1000)
        #expect(made.allSatisfy { $0.count == 12 })
        #expect(Set(made.map { Array($0.prefix(8)) }).count == 2, "a new salt after 2^32")
    }
}
