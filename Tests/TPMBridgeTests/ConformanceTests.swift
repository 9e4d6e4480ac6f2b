import EnclaveLock
import Encodings
import HSMBridge
import LibCrypto
import SecretMemory
import TPMBridge
import TestSupport
import TestTokens
import Testing
import Token

/// One suite for every device: what a backend claims it does, and what it cannot do it says.
@Suite(.timeLimit(.minutes(10))) struct ConformanceTests {
    enum Backend: String, CaseIterable, Sendable {
        case softHSM, tpm
        /// SoftHSM as a token without AES-GCM: secrets go to a public key.
        case agreement, rsa

        /// Devices; what is no matter of sealing is the same on the other two.
        static let devices: [Backend] = [.softHSM, .tpm]

        /// Exactly what the device lacks and refuses; everything else it serves.
        var absent: Set<ResidentAlgorithm> {
            switch self {
            // SoftHSM 2.6 wraps no Edwards keys.
            case .softHSM, .agreement, .rsa: [.ed25519]
            // No authenticated encryption, no Edwards curve, and libtpms has no secp256k1.
            case .tpm: [.ed25519, .secp256k1, .aes128, .aes256]
            }
        }
    }

    typealias Token = any Sealing & Signing & ResidentKeyOperations

    /// A fresh device with the daemon's keys, for the time of `body`.
    private func with(_ backend: Backend, _ body: (Token) async throws -> Void) async throws {
        switch backend {
        case .softHSM, .agreement, .rsa:
            let rootLock: RootLockMechanism = backend == .softHSM ? .aesGCM : backend == .rsa ? .rsaOAEP : .ecdh
            let token = try await SoftHSMToken.make().provisioned(rootLock: rootLock)
            #expect(token.manifest?.rootLockMechanism == rootLock)
            try await body(token)
            await token.shutdown()
        case .tpm:
            let tpm = try SoftTPM()
            let token = try await tpm.provisioned()
            try await body(token)
            await token.shutdown()
            withExtendedLifetime(tpm) {}
        }
    }

    @Test(arguments: Backend.allCases) func everyBackendSealsAndOpens(_ backend: Backend) async throws {
        try await with(backend) { token in
            let context = Array("context".utf8)
            for role in KeyRole.sealing {
                for plaintext in ["", "x", String(repeating: "long ", count: 200)] {
                    let sealed = try await token.seal(try secret(plaintext), under: role, context: context)
                    #expect(sealed != (try await token.seal(try secret(plaintext), under: role, context: context)))
                    #expect(text(try await token.open(sealed, under: role, context: context)) == plaintext)
                    for other in KeyRole.sealing where other != role {
                        #expect(
                            await code { _ = try await token.open(sealed, under: other, context: context) }
                                == .authenticationFailed)
                    }
                    var altered = sealed
                    altered[altered.count - 1] ^= 1
                    #expect(
                        await code { _ = try await token.open(altered, under: role, context: context) }
                            == .authenticationFailed)
                }
            }
            for length in [0, 4097] {
                let wrong = [UInt8](repeating: 1, count: length)
                #expect(
                    await code { _ = try await token.seal(secret("x"), under: .rootLock, context: wrong) }
                        == .invalidArgument)
            }
            for role in [KeyRole.audit, .residentWrap, .result] {
                #expect(
                    await code { _ = try await token.seal(secret("x"), under: role, context: context) }
                        == .invalidArgument)
            }
        }
    }

    @Test(arguments: Backend.devices) func everyBackendSignsTheRecord(_ backend: Backend) async throws {
        try await with(backend) { token in
            let key = try await token.publicKey(of: .audit)
            let verifier = try VerificationKey(curve: .p256, publicKey: key.point)
            for message in [[], [1], [UInt8](repeating: 7, count: 100_000)] {
                let signature = try await token.sign(message, with: .audit)
                #expect(try verifier.verify(signature, message: message, encoding: .p1363))
            }
            #expect(await code { _ = try await token.sign([1], with: .rootLock) } == .invalidArgument)
            #expect(await code { _ = try await token.publicKey(of: .rootLock) } == .invalidArgument)
        }
    }

    /// Each key signs its own kind of message and refuses the other's, so no signature serves both purposes.
    @Test(arguments: Backend.devices) func signsResultsApartFromTheRecord(_ backend: Backend) async throws {
        try await with(backend) { token in
            let curve: SigningCurve = backend == .tpm ? .p256 : .secp256k1
            let key = try await token.publicKey(of: .result)
            let verifier = try VerificationKey(curve: curve, publicKey: key.point)
            for body in [[], [1], [UInt8](repeating: 7, count: 100_000)] {
                let message = ResultMessage(body).encoded
                let signature = try await token.sign(message, with: .result)
                #expect(try verifier.verify(signature, message: message, encoding: .p1363))
                #expect(await code { _ = try await token.sign(message, with: .audit) } == .invalidArgument)
                for other in [body, message + [0], Array(message.dropLast()), Array(message.dropFirst())] {
                    #expect(await code { _ = try await token.sign(other, with: .result) } == .invalidArgument)
                }
            }
            for label in [Labels.auditCheckpoint, .receipt, .attestation] {
                var fields = RecordFields(label)
                fields.append("body")
                #expect(await code { _ = try await token.sign(fields.bytes, with: .result) } == .invalidArgument)
                #expect(await code { _ = try await token.sign(fields.bytes, with: .audit) } == nil)
            }
            #expect(try await token.publicKey(of: .audit).fingerprint != key.fingerprint)
        }
    }

    @Test(arguments: Backend.allCases) func everyBackendLocksKeystores(_ backend: Backend) async throws {
        try await with(backend) { token in
            let lock = TokenLock(token: token)
            let identity = RecordIdentity(tenant: "t", keystore: "k", key: "", type: "x", version: 1)
            let sealed = try await lock.seal(try secret("a lock key"), identity: identity)
            #expect(text(try await lock.open(sealed, identity: identity)) == "a lock key")
            #expect(!lock.identity.isEmpty)
        }
    }

    @Test(arguments: Backend.allCases) func residentKeysWorkOrAreAbsent(_ backend: Backend) async throws {
        try await with(backend) { token in
            #expect(Set(ResidentAlgorithm.allCases).subtracting(token.residentAlgorithms) == backend.absent)
            for algorithm in ResidentAlgorithm.allCases {
                guard token.residentAlgorithms.contains(algorithm) else {
                    #expect(await code { _ = try await token.generateResident(algorithm) } == .mechanismUnsupported)
                    continue
                }
                let key = try await token.generateResident(algorithm)
                switch algorithm {
                case .p256, .p384, .p521, .secp256k1:
                    let curve = try #require(Self.curves[algorithm])
                    let digest = try curve.digest(of: [1, 2, 3])
                    let signature = try await token.sign(digest: digest, with: key)
                    let verifier = try VerificationKey(curve: curve, publicKey: try #require(key.publicKey))
                    #expect(try verifier.verify(signature, message: [1, 2, 3], encoding: .p1363))
                case .ed25519:
                    let signature = try await token.sign(digest: [1, 2, 3], with: key)
                    let verifier = try VerificationKey(curve: .ed25519, publicKey: try #require(key.publicKey))
                    #expect(try verifier.verify(signature, message: [1, 2, 3]))
                case .p256Agreement, .p384Agreement, .p521Agreement:
                    try await Self.checkAgreement(token, key, try #require(Self.agreementCurves[algorithm]))
                case .hmacSHA256:
                    let tag = try await token.mac([1, 2, 3], with: key)
                    await token.forget(key.identifier)
                    #expect(try await token.mac([1, 2, 3], with: key) == tag && tag.count == 32)
                case .aes128, .aes256:
                    let nonce = [UInt8](repeating: 1, count: 12)
                    let box = try await token.encrypt([1, 2, 3], nonce: nonce, associatedData: [4], with: key)
                    let opened = try await token.decrypt(box, nonce: nonce, associatedData: [4], with: key)
                    #expect(opened == [1, 2, 3])
                }
            }
        }
    }

    /// The secret is the one that a stranger's key computes; nothing else is done with the key.
    private static func checkAgreement(_ token: Token, _ key: ResidentKeyBlob, _ curve: AgreementCurve) async throws {
        for _ in 0..<4 {
            let stranger = try AgreementKey.generate(curve)
            let agreed = try await token.agree(with: stranger.publicKey, key: key)
            let expected = try stranger.agree(with: try #require(key.publicKey))
            #expect(agreed.withSecret { expected.constantTimeEquals($0) })
            await token.forget(key.identifier)
        }
        #expect(
            await code { _ = try await token.sign(digest: [UInt8](repeating: 1, count: 32), with: key) }
                == .invalidArgument)
        #expect(await code { _ = try await token.agree(with: [4, 1], key: key) } == .invalidArgument)
        let signing = try await token.generateResident(.p256)
        #expect(
            await code { _ = try await token.agree(with: try #require(signing.publicKey), key: signing) }
                == .invalidArgument)
    }

    private static let agreementCurves: [ResidentAlgorithm: AgreementCurve] = [
        .p256Agreement: .p256, .p384Agreement: .p384, .p521Agreement: .p521,
    ]

    private static let curves: [ResidentAlgorithm: SigningCurve] = [
        .p256: .p256, .p384: .p384, .p521: .p521, .secp256k1: .secp256k1,
    ]
}
