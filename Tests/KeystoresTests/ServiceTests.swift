import EnclaveLock
import Foundation
import SecretMemory
import Testing
import WorkingKeys

@testable import Keystores

@Suite("Keystore service", .timeLimit(.minutes(10))) struct ServiceTests {
    @Test(arguments: KeyType.allCases)
    func aKeyOfEveryTypeWorksAndStillWorksAfterARestart(type: KeyType) async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        let created = try await fixture.service.createKey(keystore: keystore, type: type.rawValue)
        #expect(created.id.utf8.count == (type.isAsymmetric ? 43 : 50))
        #expect((created.publicKey != nil) == type.isAsymmetric)
        for (maker, user) in [(fixture.service, fixture.restarted()), (fixture.restarted(), fixture.service)] {
            try await roundTrip(type, keystore, created.id, maker: maker, user: user)
        }
        if type.isAsymmetric {
            let exported = try await fixture.restarted().exportKey(keystore: keystore, key: created.id)
            #expect(exported.publicKey == created.publicKey)
            #expect(exported.type == type.rawValue)
        } else {
            let code = await code { _ = try await fixture.service.exportKey(keystore: keystore, key: created.id) }
            #expect(code == .invalidArgument)
        }
    }

    /// Makes something with one service, uses it with another, and checks that altered input is refused.
    private func roundTrip(
        _ type: KeyType, _ keystore: String, _ key: String, maker: KeystoreService, user: KeystoreService
    ) async throws {
        let message = Samples.message
        if type.operations.contains(.sign) {
            let signature = try await maker.sign(keystore: keystore, key: key, message: message)
            try await user.verify(keystore: keystore, key: key, signature: signature, message: message)
            let refused = await code {
                try await user.verify(keystore: keystore, key: key, signature: signature, message: message + [0])
            }
            #expect(refused == .signatureInvalid)
        } else if type.operations.contains(.encrypt) {
            let (ciphertext, nonce) = try await maker.encrypt(
                keystore: keystore, key: key, message: message, associatedData: [1])
            let plaintext = try await user.decrypt(
                keystore: keystore, key: key, ciphertext: ciphertext, associatedData: [1], nonce: nonce)
            #expect(plaintext == message)
            let refused = await code {
                _ = try await user.decrypt(
                    keystore: keystore, key: key, ciphertext: ciphertext, associatedData: [2], nonce: nonce)
            }
            #expect(refused == .ciphertextInvalid)
        } else if type.operations.contains(.computeMAC) {
            let mac = try await maker.computeMAC(keystore: keystore, key: key, data: message)
            try await user.verifyMAC(keystore: keystore, key: key, mac: mac, data: message)
            let refused = await code {
                try await user.verifyMAC(keystore: keystore, key: key, mac: mac, data: message + [0])
            }
            #expect(refused == .signatureInvalid)
        } else if type.operations.contains(.signMulti) {
            let messages = [message, [1], []]
            let signature = try await maker.signMulti(keystore: keystore, key: key, messages: messages)
            try await user.verifyMulti(keystore: keystore, key: key, signature: signature, messages: messages)
            let proof = try await user.deriveProof(
                keystore: keystore, key: key,
                ProofRequest(signature: signature, messages: messages, revealed: [1], nonce: [9]))
            try await maker.verifyProof(keystore: keystore, key: key, proof: proof, messages: [[1]], nonce: [9])
            let refused = await code {
                try await maker.verifyProof(keystore: keystore, key: key, proof: proof, messages: [[2]], nonce: [9])
            }
            #expect(refused == .signatureInvalid)
        }
    }

    @Test func whatAKeyCannotDoIsTheCallersMistake() async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        let service = fixture.service
        let signer = try await service.createKey(keystore: keystore, type: "ED25519").id
        let cipher = try await service.createKey(keystore: keystore, type: "AES256GCM").id
        let codes = [
            await code { _ = try await service.sign(keystore: keystore, key: cipher, message: []) },
            await code { _ = try await service.computeMAC(keystore: keystore, key: cipher, data: []) },
            await code {
                _ = try await service.encrypt(keystore: keystore, key: signer, message: [], associatedData: [])
            },
            await code { _ = try await service.createKey(keystore: keystore, type: "") },
            await code { _ = try await service.createKey(keystore: keystore, type: "RSARS256") },
            await code { _ = try await service.rotateKey(keystore: keystore, key: signer, type: "AES256GCM") },
            await code {
                _ = try await service.sign(
                    keystore: keystore, key: signer, message: [UInt8](repeating: 0, count: 1 << 20 + 1))
            },
        ]
        #expect(codes.allSatisfy { $0 == .invalidArgument })
    }

    @Test func whatIsNotThereIsNotFound() async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        let service = fixture.service
        let codes = [
            await code { _ = try await service.keystore("nothing") },
            await code { _ = try await service.createKey(keystore: "nothing", type: "ED25519") },
            await code { _ = try await service.sign(keystore: "nothing", key: "k", message: []) },
            await code { _ = try await service.sign(keystore: keystore, key: "k", message: []) },
            await code { _ = try await service.key(keystore: keystore, key: "k") },
            await code { _ = try await service.disableKey(keystore: keystore, key: "k") },
            await code { _ = try await service.rotateKey(keystore: keystore, key: "k", type: "ED25519") },
            await code { _ = try await service.keys(keystore: "nothing", after: nil, limit: 10) },
        ]
        #expect(codes.allSatisfy { $0 == .notFound })
    }

    @Test func aKeyOfOneKeystoreIsUnknownInAnother() async throws {
        let fixture = try Fixture()
        let (one, two) = (try await fixture.keystore(), try await fixture.keystore("did:key:bob"))
        let key = try await fixture.service.createKey(keystore: one, type: "ED25519").id
        _ = try await fixture.service.sign(keystore: one, key: key, message: [])
        #expect(await code { _ = try await fixture.service.sign(keystore: two, key: key, message: []) } == .notFound)
    }

    @Test func anImportedKeySignsAsTheOriginalWould() async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        let id = try await fixture.service.importKey(
            keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: "mine")
        #expect(id == "mine")
        let metadata = try await fixture.service.key(keystore: keystore, key: id)
        #expect(metadata.provenance == .imported)
        #expect(metadata.protection == .sealed)
        // Ed25519 is deterministic: a second import of the seed signs the same.
        let other = try await fixture.service.importKey(
            keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: nil)
        #expect(other.utf8.count == 50)
        let signatures = [
            try await fixture.service.sign(keystore: keystore, key: id, message: Samples.message),
            try await fixture.service.sign(keystore: keystore, key: other, message: Samples.message),
        ]
        #expect(signatures[0] == signatures[1])
        let taken = await code {
            _ = try await fixture.service.importKey(
                keystore: keystore, type: "ED25519", pkcs8: try Samples.ed25519(), keyID: "mine")
        }
        #expect(taken == .alreadyExists)
    }

    @Test func whatDoesNotFitItsTypeIsNotImported() async throws {
        let fixture = try Fixture()
        let keystore = try await fixture.keystore()
        for type in ["ECDSAP256DER", "AES256GCM", "ECDSASecp256k1IEEEP1363", "nonsense"] {
            let refused = await code {
                _ = try await fixture.service.importKey(
                    keystore: keystore, type: type, pkcs8: try Samples.ed25519(), keyID: nil)
            }
            #expect(refused == .invalidArgument, "\(type)")
        }
        #expect(try await fixture.service.keys(keystore: keystore, after: nil, limit: 10).items.isEmpty)
    }

    @Test(
        "Rotation renames the key; what was made before stays good under the new id",
        arguments: ["ED25519", "ECDSAP256DER", "AES256GCM", "HMACSHA256Tag256"])
    func rotationRenamesTheKeyAndWhatWasMadeBeforeStaysGood(name: String) async throws {
        let fixture = try Fixture()
        let (service, keystore) = (fixture.service, try await fixture.keystore())
        let type = try #require(KeyType(rawValue: name))
        var id = try await service.createKey(keystore: keystore, type: name).id
        let first = id
        var made: [(output: [UInt8], nonce: [UInt8])] = []
        for _ in 0..<3 {
            switch true {
            case type.operations.contains(.sign):
                made.append((try await service.sign(keystore: keystore, key: id, message: Samples.message), []))
            case type.operations.contains(.encrypt):
                let (ciphertext, nonce) = try await service.encrypt(
                    keystore: keystore, key: id, message: Samples.message, associatedData: [])
                made.append((ciphertext, nonce))
            default: made.append((try await service.computeMAC(keystore: keystore, key: id, data: Samples.message), []))
            }
            let old = id
            id = try await service.rotateKey(keystore: keystore, key: old, type: name)
            #expect(id != old)
            #expect(await code { _ = try await service.key(keystore: keystore, key: old) } == .notFound)
            #expect(await code { _ = try await service.exportKey(keystore: keystore, key: old) } == .notFound)
        }
        for user in [service, fixture.restarted()] {
            for (output, nonce) in made {
                switch true {
                case type.operations.contains(.sign):
                    try await user.verify(
                        keystore: keystore, key: id, signature: output, message: Samples.message)
                case type.operations.contains(.encrypt):
                    let plaintext = try await user.decrypt(
                        keystore: keystore, key: id, ciphertext: output, associatedData: [], nonce: nonce)
                    #expect(plaintext == Samples.message)
                default: try await user.verifyMAC(keystore: keystore, key: id, mac: output, data: Samples.message)
                }
            }
        }
        let metadata = try await service.key(keystore: keystore, key: id)
        #expect(metadata.versions.map(\.version) == [1, 2, 3, 4])
        #expect(metadata.versions.map(\.primary) == [false, false, false, true])
        #expect(try await service.keys(keystore: keystore, after: nil, limit: 10).items.map(\.id) == [id])
        #expect(first != id)
    }
}
