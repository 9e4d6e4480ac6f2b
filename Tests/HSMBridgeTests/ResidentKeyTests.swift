import TestSupport
import TestTokens
import Testing
import Token

@testable import HSMBridge

@Suite(.timeLimit(.minutes(10))) struct ResidentKeyTests {
    /// SoftHSM 2.6.1 refuses to wrap Ed25519 private keys; nothing here knows that but the probe.
    @Test func probeFindsWhatTheTokenCanHold() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let algorithms = token.residentAlgorithms
        #expect(algorithms.isSuperset(of: [.p256, .p384, .p521, .secp256k1, .aes128, .aes256, .hmacSHA256]))
        if !algorithms.contains(.ed25519) {
            let error = await #expect(throws: HSMError.self) { try await token.generateResident(.ed25519) }
            #expect(error?.code == .mechanismUnsupported)
        }
        await token.shutdown()
    }

    @Test(arguments: [ResidentAlgorithm.p256, .p384, .p521, .secp256k1])
    func signaturesVerifyForAStranger(algorithm: ResidentAlgorithm) async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let key = try await token.generateResident(algorithm)
        let curve = try #require(algorithm.curve)
        let point = try #require(key.publicKey)
        #expect(key.identifier.count == 16)
        #expect(point.count == curve.pointLength)
        for length in [32, 48, 64] {
            let digest = SystemRandom.bytes(length)
            let signature = try await token.sign(digest: digest, with: key)
            #expect(signature.count == curve.signatureLength)
            let info = curve.subjectPublicKeyInfo(of: point)
            #expect(try Stranger.verifies(digest: digest, signature: signature, info))
        }
        await token.shutdown()
    }

    /// A token that takes less in one part gets several; the tag is the one of one part.
    @Test(arguments: [1025, 2048, 5000, 100_000])
    func aMACOfMoreThanATokenTakesAtOnceIsMadeInParts(count: Int) async throws {
        let faults = FaultPlan()
        let soft = try SoftHSMToken.make()
        let maker = try await soft.provisioned()
        let manifest = maker.manifest
        await maker.shutdown()
        var configuration = soft.configuration()
        configuration.manifest = manifest
        let token = PKCS11Token(configuration: configuration, faults: faults)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        let key = try await token.generateResident(.hmacSHA256)
        let data = SystemRandom.bytes(count)
        let expected = try await token.mac(data, with: key)
        let refusal = try #require(ReturnValue(name: "CKR_DATA_LEN_RANGE"))
        faults.fail("C_Sign", .every, with: refusal)
        #expect(try await token.mac(data, with: key) == expected)
        #expect(faults.calls(of: "C_SignUpdate") == (count + 1023) / 1024)
        faults.clear()
        // What no part helps is the input's fault, told as such.
        faults.fail("C_Encrypt", .every, with: refusal)
        let cipher = try await token.generateResident(.aes256)
        let nonce = SystemRandom.bytes(12)
        let error = await #expect(throws: HSMError.self) {
            try await token.encrypt(data, nonce: nonce, associatedData: [], with: cipher)
        }
        #expect(error?.code == .inputTooLong)
        await token.shutdown()
    }

    @Test(arguments: [ResidentAlgorithm.aes128, .aes256])
    func encryptionRoundTrips(algorithm: ResidentAlgorithm) async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let key = try await token.generateResident(algorithm)
        for count in [0, 1, 100, 10_000] {
            let plaintext = SystemRandom.bytes(count)
            let nonce = SystemRandom.bytes(12)
            let sealed = try await token.encrypt(plaintext, nonce: nonce, associatedData: [], with: key)
            #expect(sealed.count == count + 16)
            #expect(try await token.decrypt(sealed, nonce: nonce, associatedData: [], with: key) == plaintext)
            for (altered, data) in [
                (sealed.dropLast() + [sealed[sealed.count - 1] ^ 1], []), (sealed[...], [UInt8(1)]),
            ] {
                let error = await #expect(throws: HSMError.self) {
                    try await token.decrypt(Array(altered), nonce: nonce, associatedData: data, with: key)
                }
                #expect(error?.code == .authenticationFailed)
            }
        }
        let error = await #expect(throws: HSMError.self) {
            try await token.encrypt([1], nonce: [], associatedData: [], with: key)
        }
        #expect(error?.code == .invalidArgument)
        await token.shutdown()
    }

    @Test func macsAreStableAndKeyed() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let keys = [try await token.generateResident(.hmacSHA256), try await token.generateResident(.hmacSHA256)]
        let macs = [try await token.mac([1, 2], with: keys[0]), try await token.mac([1, 2], with: keys[1])]
        #expect(macs[0].count == 32)
        #expect(macs[0] != macs[1])
        await token.forget(keys[0].identifier)
        #expect(try await token.mac([1, 2], with: keys[0]) == macs[0])
        let error = await #expect(throws: HSMError.self) { try await token.sign(digest: Array(0..<32), with: keys[0]) }
        #expect(error?.code == .invalidArgument)
        await token.shutdown()
    }

    @Test func blobsSurviveRestartAndNothingElseOpensThem() async throws {
        let soft = try SoftHSMToken.make()
        let first = try await soft.provisioned()
        let other = try await SoftHSMToken.make().provisioned()
        let key = try await first.generateResident(.p256)
        let manifest = try #require(first.manifest)
        let foreign = await #expect(throws: HSMError.self) { try await other.sign(digest: Array(0..<32), with: key) }
        #expect(foreign?.code == .authenticationFailed)
        #expect(other.health.isReady)
        await first.shutdown()
        let second = PKCS11Token(configuration: soft.configuration(manifest: manifest))
        second.start()
        try await second.waitUntilReady(timeout: .seconds(120))
        let signature = try await second.sign(digest: Array(0..<32), with: key)
        let info = EllipticCurve.p256.subjectPublicKeyInfo(of: try #require(key.publicKey))
        #expect(try Stranger.verifies(digest: Array(0..<32), signature: signature, info))
        await second.shutdown()
        await other.shutdown()
    }

    @Test func alteredBlobsAreRefused() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let key = try await token.generateResident(.p256)
        let other = try await token.generateResident(.p256)
        for index in key.wrapped.indices {
            var altered = key
            altered.wrapped[index] ^= 0x40
            altered.identifier = SystemRandom.bytes(16)
            let error = await #expect(throws: HSMError.self) {
                try await token.sign(digest: Array(0..<32), with: altered)
            }
            #expect(error?.code == .authenticationFailed, "byte \(index)")
        }
        var exchanged = key
        exchanged.publicKey = other.publicKey
        let error = await #expect(throws: HSMError.self) {
            try await token.sign(digest: Array(0..<32), with: exchanged)
        }
        #expect(error?.code == .keyMismatch)
        _ = try await token.sign(digest: Array(0..<32), with: key)
        let cached = await #expect(throws: HSMError.self) {
            try await token.sign(digest: Array(0..<32), with: exchanged)
        }
        #expect(cached?.code == .keyMismatch, "not the cached handle of the same identifier")
        await token.shutdown()
    }

    /// A blob whose record lies about its kind is refused, unless kind and length are those of another symmetric key:
    /// that is for the record's authenticator to prevent.
    @Test func aBlobOfAnotherKindIsRefused() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        for (real, claimed) in [
            (ResidentAlgorithm.p256, ResidentAlgorithm.secp256k1), (.p256, .p384), (.p256, .aes256),
            (.aes256, .p256), (.aes128, .aes256), (.aes256, .aes128), (.hmacSHA256, .aes128),
        ] {
            var blob = try await token.generateResident(real)
            blob.algorithm = claimed
            let error = await #expect(throws: HSMError.self) {
                if claimed.isAES {
                    _ = try await token.encrypt([1], nonce: SystemRandom.bytes(12), associatedData: [], with: blob)
                } else {
                    _ = try await token.sign(digest: SystemRandom.bytes(32), with: blob)
                }
            }
            #expect(
                error.map { [.authenticationFailed, .keyMismatch].contains($0.code) } == true,
                "\(real) as \(claimed): \(error.map { "\($0)" } ?? "none")")
            #expect(token.health.isReady)
        }
        await token.shutdown()
    }
}
