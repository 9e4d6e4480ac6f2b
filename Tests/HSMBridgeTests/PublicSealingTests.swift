import Encodings
import LibCrypto
import SecretMemory
import TestSupport
import TestTokens
import Testing
import Token

@testable import HSMBridge

/// Sealing on tokens without AES-GCM: to a public key here, opened by the token.
@Suite(.timeLimit(.minutes(10))) struct PublicSealingTests {
    private static func token(_ soft: SoftHSMToken, _ manifest: TokenManifest) -> PKCS11Token {
        let token = PKCS11Token(configuration: soft.configuration(manifest: manifest))
        token.start()
        return token
    }

    /// What becomes of a manifest that was edited: never ready, and for this reason.
    private static func refusal(_ soft: SoftHSMToken, _ manifest: TokenManifest) async throws -> HSMError.Code? {
        let token = token(soft, manifest)
        let end = ContinuousClock.now + .seconds(240)
        // Until it has been looked at, however busy the machine.
        while token.health.error.map({ $0.code == .tokenUnavailable }) ?? true, ContinuousClock.now < end {
            if (try? await token.waitUntilReady(timeout: .seconds(1))) != nil { break }
        }
        #expect(!token.health.isReady)
        let code = token.health.error?.code
        let sealed = try? await token.seal(SealingTests.secret([1]), under: .rootLock, context: [1])
        #expect(sealed == nil, "nothing is sealed to what is not proved")
        await token.shutdown()
        return code
    }

    @Test(
        "Bytes that are flipped, cut, or of another record or role do not open",
        arguments: [RootLockMechanism.ecdh, .rsaOAEP])
    func otherBytesDoNotOpen(mechanism: RootLockMechanism) async throws {
        let token = try await SoftHSMToken.make().provisioned(rootLock: mechanism)
        let context = Array("tenant/keystore".utf8)
        let plaintext = [UInt8](0..<32)
        let sealed = try await token.seal(SealingTests.secret(plaintext), under: .rootLock, context: context)
        #expect(sealed.count == 32 + (mechanism == .ecdh ? 82 : 401) && sealed[0] == (mechanism == .ecdh ? 3 : 4))
        func check(_ bytes: [UInt8], _ role: KeyRole, _ context: [UInt8], _ what: String) async {
            do {
                _ = try await token.open(bytes, under: role, context: context)
                Issue.record("\(what) opened")
            } catch {
                #expect(
                    error.code == .authenticationFailed && error.message == HSMError.notAuthentic.message, "\(what)")
            }
        }
        for index in sealed.indices {
            var altered = sealed
            altered[index] ^= 1 << UInt8(index % 8)
            await check(altered, .rootLock, context, "byte \(index)")
        }
        for length in 0..<sealed.count {
            await check(Array(sealed.prefix(length)), .rootLock, context, "length \(length)")
        }
        await check(sealed + [0], .rootLock, context, "one byte more")
        await check(sealed, .rootLock, [1], "another context")
        for role in [KeyRole.shareLockUser, .shareLockServer] { await check(sealed, role, context, role.rawValue) }
        #expect(token.health.isReady, "what is wrong with an input is no loss of the token")
        let opened = try await token.open(sealed, under: .rootLock, context: context)
        #expect(SealingTests.bytes(opened) == plaintext)
        await token.shutdown()
    }

    @Test(
        "Whoever knows the public key and not the sealing secret makes nothing that opens",
        arguments: [RootLockMechanism.ecdh, .rsaOAEP])
    func nobodyElseSeals(mechanism: RootLockMechanism) async throws {
        let token = try await SoftHSMToken.make().provisioned(rootLock: mechanism)
        let record = try #require(token.manifest?[.rootLock])
        let half = try SealingHalf(record)
        let guess = SharedSecret(try SecretBytes.random(count: 32))
        for secret in [nil, guess] {
            let forged = try PublicSealing(half: half, secret: secret).seal(
                SealingTests.secret([1, 2, 3]), context: [9])
            let error = await #expect(throws: HSMError.self) {
                try await token.open(forged, under: .rootLock, context: [9])
            }
            #expect(error?.code == .authenticationFailed)
        }
        // The sealed secret itself is none of the values that the interface opens.
        let sentinel = try #require(record.sentinel.flatMap { Hexadecimal.decode($0) })
        let instance = try #require(token.manifest?.instance)
        let error = await #expect(throws: HSMError.self) {
            try await token.open(
                sentinel, under: .rootLock, context: TokenManifest.sentinelContext(instance: instance, role: .rootLock))
        }
        #expect(error?.code == .authenticationFailed)
        await token.shutdown()
    }

    @Test("A manifest with another public half, secret, kind or proof is refused, and nothing is sealed to it")
    func anEditedManifestIsRefused() async throws {
        let soft = try SoftHSMToken.make()
        let first = try await soft.provisioned(rootLock: .ecdh)
        let whole = try #require(first.manifest)
        let sealed = try await first.seal(SealingTests.secret([7, 8, 9]), under: .rootLock, context: [1])
        let identity = first.sealingIdentity
        #expect(identity.hasSuffix(";x-kmsd-lock=ECDH-P256"), "\(identity)")
        await first.shutdown()
        let record = try #require(whole[.rootLock])
        let stranger = try AgreementKey.generate(.p256).publicKey
        let context = TokenManifest.sentinelContext(instance: whole.instance, role: .rootLock)
        let chosen = SharedSecret(try SecretBytes.random(count: 32))
        func seal(to half: SealingHalf) throws -> String {
            Hexadecimal.encode(try PublicSealing(half: half, secret: nil).seal(chosen, context: context))
        }
        var edits: [String: TokenManifest] = [:]
        var manifest = whole
        manifest[.rootLock]?.publicKey = Hexadecimal.encode(stranger)
        manifest[.rootLock]?.fingerprint = try SealingHalf.point(stranger).fingerprint
        edits["a stranger's public half"] = manifest
        manifest[.rootLock]?.sentinel = try seal(to: .point(stranger))
        edits["a stranger's public half and secret"] = manifest
        manifest = whole
        manifest[.rootLock]?.sentinel = try seal(to: SealingHalf(record))
        edits["a secret that somebody chose"] = manifest
        manifest = whole
        manifest[.rootLock]?.sentinel = whole[.shareLockUser]?.sentinel
        manifest[.rootLock]?.proof = whole[.shareLockUser]?.proof
        edits["another role's secret and proof"] = manifest
        manifest = whole
        manifest[.rootLock]?.proof = nil
        edits["no proof"] = manifest
        manifest = whole
        manifest[.rootLock]?.kind = .aes256Seal
        edits["another kind"] = manifest
        for (what, manifest) in edits {
            let code = try await Self.refusal(soft, manifest)
            #expect(
                code == .keyMismatch || code == .keyMissing || code == .configurationRefused, "\(what): \(code as Any)")
        }
        let again = Self.token(soft, whole)
        try await again.waitUntilReady(timeout: .seconds(120))
        #expect(SealingTests.bytes(try await again.open(sealed, under: .rootLock, context: [1])) == [7, 8, 9])
        #expect(again.sealingIdentity == identity)
        #expect(try await again.completeProvisioning() == nil)
        let report = try await again.lint()
        #expect(report.grade == .ok, "\(report.objects.filter { $0.grade != .ok }) \(report.findings)")
        await again.shutdown()
    }

    @Test("Only a token that lacks a mechanism gets the next one, and one that lacks all is told so")
    func theBestMechanismIsTaken() async throws {
        let lacking = try #require(ReturnValue(name: "CKR_MECHANISM_INVALID"))
        for (refused, expected) in [
            ([], KeyKind.aes256Seal), (["C_EncryptInit", "C_DecryptInit"], .ecdhSeal),
            (["C_EncryptInit", "C_DeriveKey"], .rsaSealSHA1),
        ] as [([String], KeyKind)] {
            let faults = FaultPlan()
            let token = PKCS11Token(configuration: try SoftHSMToken.make().configuration(), faults: faults)
            token.start()
            try await token.waitUntilReady(timeout: .seconds(120))
            for call in refused { faults.fail(call, with: lacking) }
            let manifest = try await token.provision(instance: TokenManifest.makeInstance())
            #expect(KeyRole.sealing.allSatisfy { manifest[$0]?.kind == expected }, "\(expected)")
            let sealed = try await token.seal(SealingTests.secret([1]), under: .shareLockServer, context: [2])
            #expect(SealingTests.bytes(try await token.open(sealed, under: .shareLockServer, context: [2])) == [1])
            let report = try await token.probe()
            #expect(report["root-lock"]?.detail == expected.rawValue)
            faults.clear()
            await token.shutdown()
        }
        let faults = FaultPlan()
        let token = PKCS11Token(configuration: try SoftHSMToken.make().configuration(), faults: faults)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        for call in ["C_EncryptInit", "C_DecryptInit", "C_DeriveKey"] { faults.fail(call, with: lacking) }
        let instance = TokenManifest.makeInstance()
        let error = await #expect(throws: HSMError.self) { try await token.provision(instance: instance) }
        #expect(error?.code == .mechanismUnsupported)
        for word in ["'root-lock'", "CKM_AES_GCM", "ECDH-P256", "RSA-3072-OAEP-SHA-1"] {
            #expect(error?.message.contains(word) == true, "\(error as Any)")
        }
        faults.clear()
        #expect(try await token.sweep(instance: instance) == [])
        await token.shutdown()
    }

    @Test("A failure of the better mechanism gets no token the other one")
    func aFailureIsNoLack() async throws {
        let faults = FaultPlan()
        let token = PKCS11Token(configuration: try SoftHSMToken.make().configuration(), faults: faults)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        for name in ["CKR_GENERAL_ERROR", "CKR_HOST_MEMORY", "CKR_KEY_FUNCTION_NOT_PERMITTED"] {
            faults.fail("C_EncryptInit", with: try #require(ReturnValue(name: name)))
            let instance = TokenManifest.makeInstance()
            let error = await #expect(throws: HSMError.self) { try await token.provision(instance: instance) }
            #expect(error?.message.contains("'root-lock'") == true && error?.message.contains("ECDH") == false)
            faults.clear()
            #expect(try await token.sweep(instance: instance) == [])
        }
        await token.shutdown()
    }

    @Test("A token without AES keys seals all the same, and refuses resident keys with words")
    func withoutAESKeysThereAreNoResidentKeys() async throws {
        let faults = FaultPlan()
        let token = PKCS11Token(configuration: try SoftHSMToken.make().configuration(), faults: faults)
        token.start()
        try await token.waitUntilReady(timeout: .seconds(120))
        faults.fail("C_GenerateKey", with: try #require(ReturnValue(name: "CKR_MECHANISM_INVALID")))
        let manifest = try await token.provision(instance: TokenManifest.makeInstance())
        #expect(
            manifest[.residentWrap] == nil && manifest.missingRoles.isEmpty && manifest[.rootLock]?.kind == .ecdhSeal)
        #expect(token.residentAlgorithms.isEmpty)
        let error = await #expect(throws: HSMError.self) { try await token.generateResident(.p256) }
        #expect(error?.code == .mechanismUnsupported)
        #expect(try await token.completeProvisioning() == nil)
        let sealed = try await token.seal(SealingTests.secret([1]), under: .rootLock, context: [2])
        #expect(SealingTests.bytes(try await token.open(sealed, under: .rootLock, context: [2])) == [1])
        faults.clear()
        await token.shutdown()
    }

    @Test("What is sealed has the documented form, written down a second time here")
    func theFormIsTheDocumentedOne() throws {
        let pair = try AgreementKey.generate(.p256)
        let secret = SharedSecret(try SecretBytes.random(count: 32))
        let context = [UInt8](repeating: 5, count: 4096)
        let sealed = try PublicSealing(half: .point(pair.publicKey), secret: secret)
            .seal(SealingTests.secret([1, 2, 3]), context: context)
        let point = Array(sealed[1..<66])
        func field(_ bytes: [UInt8]) -> [UInt8] { [0, 0, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes }
        let info =
            field(Array("kmsd/public-seal/v1".utf8)) + field(Array("ECDH-P256".utf8)) + field(pair.publicKey)
            + field(point) + field([0, 0, 0, 0, 0, 0, 0, 1]) + field(context)
        let shared = SealingTests.bytes(SharedSecret(try pair.agree(with: point))) + SealingTests.bytes(secret)
        let key = try SealingTests.secret(shared).withSecret {
            try HKDF.sha256(inputKey: $0, salt: [], info: try Digest.sha256(info), count: 32)
        }
        let opened = try AEAD.open(
            Array(sealed[66...]), key: key, nonce: [UInt8](repeating: 0, count: 12), associatedData: [3] + context,
            algorithm: .aes256GCM)
        #expect(opened == [1, 2, 3])
    }
}
