import EnclaveLock
import Foundation
import GRDB
import HSMBridge
import SecretMemory
import TestSupport
import TestTokens
import Testing
import Token
import WorkingKeys

@testable import Keystores

/// Keystores whose keys live in a real token.
@Suite("Resident keys and the token lock", .timeLimit(.minutes(10))) struct ResidentTests {
    private func service(
        _ token: PKCS11Token, _ fixture: Fixture, ttl: Duration = .seconds(600)
    ) -> KeystoreService {
        var configuration = KeystoreConfiguration()
        configuration.lockKeyTTL = ttl
        return KeystoreService(
            store: fixture.store, lock: TokenLock(token: token), resident: token, configuration: configuration)
    }

    @Test func everyTypeThatTheTokenProvedWorksSurvivesARestartAndRotates() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let fixture = try Fixture()
        let maker = service(token, fixture)
        let keystore = try await maker.createKeystore(controller: "alice", protection: .resident).id
        var served: Set<KeyType> = []
        for type in KeyType.allCases {
            guard let algorithm = type.residentAlgorithm, token.residentAlgorithms.contains(algorithm) else {
                let refused = await code { _ = try await maker.createKey(keystore: keystore, type: type.rawValue) }
                #expect(refused == .mechanismUnsupported)
                continue
            }
            served.insert(type)
            let created = try await maker.createKey(keystore: keystore, type: type.rawValue)
            #expect((created.publicKey != nil) == type.isAsymmetric)
            let metadata = try await maker.key(keystore: keystore, key: created.id)
            #expect(metadata.protection == .resident && metadata.provenance == .bornInToken)
            try await roundTrip(type, keystore, created.id, maker: maker, user: service(token, fixture))
        }
        #expect(served.isSuperset(of: [.ecdsaP256DER, .ecdsaP256P1363, .aes256GCM]))
        #expect(!served.contains(.chaCha20Poly1305))
        let listed = try await maker.keys(keystore: keystore, after: nil, limit: 100).items
        #expect(listed.count == served.count && listed.allSatisfy { $0.state == .enabled })
        await token.shutdown()
    }

    /// Makes something, rotates the key, and uses the old and the new under the new id.
    private func roundTrip(
        _ type: KeyType, _ keystore: String, _ key: String, maker: KeystoreService, user: KeystoreService
    ) async throws {
        let message = Samples.message
        if type.operations.contains(.sign) {
            let old = try await maker.sign(keystore: keystore, key: key, message: message)
            let new = try await maker.rotateKey(keystore: keystore, key: key, type: type.rawValue)
            for signature in [old, try await user.sign(keystore: keystore, key: new, message: message)] {
                try await user.verify(keystore: keystore, key: new, signature: signature, message: message)
                let refused = await code {
                    try await user.verify(keystore: keystore, key: new, signature: signature, message: [])
                }
                #expect(refused == .signatureInvalid)
            }
        } else if type.operations.contains(.encrypt) {
            let old = try await maker.encrypt(keystore: keystore, key: key, message: message, associatedData: [1])
            let new = try await maker.rotateKey(keystore: keystore, key: key, type: type.rawValue)
            let fresh = try await user.encrypt(keystore: keystore, key: new, message: message, associatedData: [1])
            for (ciphertext, nonce) in [old, fresh] {
                let plaintext = try await user.decrypt(
                    keystore: keystore, key: new, ciphertext: ciphertext, associatedData: [1], nonce: nonce)
                #expect(plaintext == message)
                for (associatedData, nonce) in [([UInt8(2)], nonce), ([1], Array(nonce.dropLast()))] {
                    let refused = await code {
                        _ = try await user.decrypt(
                            keystore: keystore, key: new, ciphertext: ciphertext, associatedData: associatedData,
                            nonce: nonce)
                    }
                    #expect(refused == .ciphertextInvalid)
                }
            }
        } else if type.operations.contains(.unwrap) {
            let content = try AgreementSamples.secret(32)
            let exported = try await maker.exportKey(keystore: keystore, key: key).publicKey
            let recipient = try AgreementSamples.publicKey(exported)
            let old = try await maker.wrap(
                keystore: keystore, contentKey: content, recipient: recipient, apu: [], apv: [], options: .standard)
            let new = try await maker.rotateKey(keystore: keystore, key: key, type: type.rawValue)
            let fresh = try await user.wrap(
                keystore: keystore, sender: new, contentKey: content, recipient: recipient, apu: [], apv: [], tag: [],
                options: .standard)
            let sender = try AgreementSamples.publicKey(
                try await user.exportKey(keystore: keystore, key: new).publicKey)
            for wrapped in [old, fresh] {
                let opened = try await user.unwrap(
                    keystore: keystore, key: new, wrapped: wrapped, sender: sender, tag: [])
                #expect(opened.withUnsafeBytes { Array($0) } == content.withUnsafeBytes { Array($0) })
            }
        } else {
            let old = try await maker.computeMAC(keystore: keystore, key: key, data: message)
            let new = try await maker.rotateKey(keystore: keystore, key: key, type: type.rawValue)
            for mac in [old, try await user.computeMAC(keystore: keystore, key: new, data: message)] {
                #expect(mac.count == 37)
                try await user.verifyMAC(keystore: keystore, key: new, mac: mac, data: message)
                let refused = await code {
                    try await user.verifyMAC(keystore: keystore, key: new, mac: mac, data: [])
                }
                #expect(refused == .signatureInvalid)
            }
        }
    }

    @Test func residentKeysAreNotImportedSwappedBlobsDoNotOpen() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let fixture = try Fixture()
        let maker = service(token, fixture)
        let keystore = try await maker.createKeystore(controller: "alice", protection: .resident).id
        let importing = await code {
            _ = try await maker.importKey(
                keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: nil)
        }
        #expect(importing == .mechanismUnsupported)
        let (one, two) = (
            try await maker.createKey(keystore: keystore, type: "ECDSAP256DER").id,
            try await maker.createKey(keystore: keystore, type: "ECDSAP256DER").id
        )
        try await fixture.attacker().write { db in
            try db.execute(
                sql:
                    "UPDATE key_versions SET sealed = (SELECT sealed FROM key_versions v WHERE v.key = ?) WHERE key = ?",
                arguments: [one, two])
        }
        let user = service(token, fixture)
        #expect(await code { _ = try await user.sign(keystore: keystore, key: two, message: []) } == .internal)
        _ = try await user.sign(keystore: keystore, key: one, message: [])
        await token.shutdown()
    }

    @Test func sealedKeysLiveUnderTheTokenAnotherTokenDoesNotOpenThemALostOneIsUnavailable() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let stranger = try await SoftHSMToken.make().provisioned()
        let fixture = try Fixture()
        let maker = service(token, fixture)
        let keystore = try await maker.createKeystore(controller: "alice", protection: .sealed)
        #expect(keystore.lockSlots.map(\.kind) == ["token"])
        #expect(keystore.lockSlots[0].identity.hasPrefix("pkcs11:"))
        let key = try await maker.createKey(keystore: keystore.id, type: "ED25519").id
        let signature = try await maker.sign(keystore: keystore.id, key: key, message: Samples.message)
        try await service(token, fixture, ttl: .zero)
            .verify(keystore: keystore.id, key: key, signature: signature, message: Samples.message)
        let locked = await code {
            _ = try await service(stranger, fixture).sign(keystore: keystore.id, key: key, message: [])
        }
        #expect(locked == .keystoreLocked)
        #expect(await maker.readiness.isEmpty)

        await token.shutdown()
        // What is open goes on for its time; what is not asks the token in vain.
        _ = try await maker.sign(keystore: keystore.id, key: key, message: [])
        let lost = await code {
            _ = try await service(token, fixture).sign(keystore: keystore.id, key: key, message: [])
        }
        #expect(lost == .tokenUnavailable)
        #expect(await service(token, fixture).readiness.map(\.component) == [.lock])
        await stranger.shutdown()
    }

    @Test func aDestroyedResidentKeyIsGoneFromTheTokensMemoryAndFromTheStore() async throws {
        let token = try await SoftHSMToken.make().provisioned()
        let fixture = try Fixture()
        let maker = service(token, fixture)
        let keystore = try await maker.createKeystore(controller: "alice", protection: .resident).id
        let key = try await maker.createKey(keystore: keystore, type: "ECDSAP256IEEEP1363").id
        #expect(try await maker.sign(keystore: keystore, key: key, message: []).count == 64)
        #expect(try await maker.destroyKey(keystore: keystore, key: key, grace: .zero).state == .destroyed)
        #expect(await code { _ = try await maker.sign(keystore: keystore, key: key, message: []) } == .keyDisabled)
        #expect(try await fixture.store.key(keystore: keystore, id: key)?.versions.isEmpty == true)
        await token.shutdown()
    }
}
