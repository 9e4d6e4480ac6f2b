import LibCrypto
import SecretMemory
import TestSupport
import Testing
import WorkingKeys

/// Members of `cryptobox.json`.
private struct BoxVectors: Decodable {
    struct Easy: Decodable {
        let recipientPublicHex, recipientSecretHex, senderPublicHex, senderSecretHex, nonceAscii, payloadAscii: String
        let ciphertextHex: String
    }
    struct Conversion: Decodable {
        let ed25519SeedHex, ed25519PublicHex, x25519PublicHex, x25519SecretHex: String
    }
    struct Sealed: Decodable { let myPubEd25519Hex, ciphertextHex, plaintextAscii: String }
    let easy: [Easy]
    let ed25519ToX25519: [Conversion]
    let sealOpen: [Sealed]
}

@Suite(.timeLimit(.minutes(10))) struct CryptoBoxTests {
    private let vectors: BoxVectors

    init() throws { vectors = try VectorFile.load("cryptobox.json", as: BoxVectors.self) }

    @Test func publishedBoxesOpen() throws {
        #expect(vectors.easy.count == 1)
        for vector in vectors.easy {
            let nonce = Array(vector.nonceAscii.utf8)
            let box = try CryptoBox.easy(
                Array(vector.payloadAscii.utf8), nonce: nonce, to: hex(vector.recipientPublicHex),
                from: secret(hex(vector.senderSecretHex)))
            #expect(box == hex(vector.ciphertextHex))
            let opened = try CryptoBox.open(
                box, nonce: nonce, from: hex(vector.senderPublicHex), to: secret(hex(vector.recipientSecretHex)))
            #expect(opened == Array(vector.payloadAscii.utf8))
        }
    }

    @Test func keysConvertAndSealedBoxesOpen() throws {
        let conversion = try #require(vectors.ed25519ToX25519.first)
        let signing = try SigningKey(curve: .ed25519, privateKey: secret(hex(conversion.ed25519SeedHex)))
        #expect(try reveal(signing.x25519PrivateKey()) == hex(conversion.x25519SecretHex))
        #expect(
            try CryptoBox.publicKey(ofEd25519: hex(conversion.ed25519PublicHex)) == hex(conversion.x25519PublicHex))
        let material = try KeyMaterial(type: .ed25519, prefixID: nil, secret: secret(hex(conversion.ed25519SeedHex)))
        let key = try WorkingKey(versions: [KeyMaterial.generate(.ed25519), material], primary: 0)
        #expect(vectors.sealOpen.count == 1)
        for vector in vectors.sealOpen {
            let box = hex(vector.ciphertextHex)
            let own = hex(vector.myPubEd25519Hex)
            #expect(try key.sealOpen(box, own: own) == Array(vector.plaintextAscii.utf8))
            for index in box.indices {
                var changed = box
                changed[index] ^= 1
                // The top bit of the ephemeral key is not part of the point, but it is part of the nonce.
                #expect(code { _ = try key.sealOpen(changed, own: own) } == .decryptionFailed)
            }
            for length in 0..<box.count {
                #expect(code { _ = try key.sealOpen(Array(box.prefix(length)), own: own) } == .decryptionFailed)
            }
            #expect(code { _ = try key.sealOpen(box, own: [UInt8](repeating: 1, count: 32)) } == .invalidArgument)
        }
    }

    @Test func boxesTravelBetweenWorkingKeys() throws {
        let (alice, old, new) = (
            try KeyMaterial.generate(.ed25519), try KeyMaterial.generate(.ed25519), try KeyMaterial.generate(.ed25519)
        )
        let sender = try WorkingKey(versions: [alice], primary: 0)
        let receiver = try WorkingKey(versions: [old, new], primary: 1)
        let senderPublic = try CryptoBox.publicKey(ofEd25519: #require(alice.rawPublicKey))
        let nonce = try Random.bytes(24)
        for version in [old, new] {
            let own = try #require(version.rawPublicKey)
            for payload in [[], [1], [UInt8](repeating: 7, count: 1000)] as [[UInt8]] {
                let box = try sender.easy(payload, nonce: nonce, to: CryptoBox.publicKey(ofEd25519: own))
                #expect(box.count == payload.count + 16)
                #expect(try receiver.easyOpen(box, nonce: nonce, from: senderPublic, own: own) == payload)
                var changed = box
                changed[0] ^= 1
                #expect(
                    code { _ = try receiver.easyOpen(changed, nonce: nonce, from: senderPublic, own: own) }
                        == .decryptionFailed)
            }
            #expect(
                code { _ = try receiver.easyOpen([1, 2], nonce: nonce, from: senderPublic, own: own) }
                    == .decryptionFailed)
        }
    }

    @Test func wrongShapesAndSmallOrdersAreRefused() throws {
        let material = try KeyMaterial.generate(.ed25519)
        let key = try WorkingKey(versions: [material], primary: 0)
        let own = try #require(material.rawPublicKey)
        let peer = try CryptoBox.publicKey(ofEd25519: own)
        let nonce = [UInt8](repeating: 0, count: 24)
        let zero = [UInt8](repeating: 0, count: 32)
        let order8 = hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")
        for bad in [[], Array(peer.dropLast()), peer + [0], zero, order8] {
            #expect(code { _ = try key.easy([1], nonce: nonce, to: bad) } == .invalidArgument)
            #expect(libraryCode { _ = try CryptoBox.seal([1], to: bad) } == .invalidInput)
        }
        for bad in [[], Array(nonce.dropLast()), nonce + [0]] {
            #expect(code { _ = try key.easy([1], nonce: bad, to: peer) } == .invalidArgument)
            #expect(code { _ = try key.easyOpen(zero, nonce: bad, from: peer, own: own) } == .invalidArgument)
        }
        for small in [zero, order8] {
            #expect(code { _ = try key.easyOpen(zero, nonce: nonce, from: small, own: own) } == .decryptionFailed)
        }
        let identity = [1] + [UInt8](repeating: 0, count: 31)
        for bad in [[], identity, [UInt8](repeating: 0xFF, count: 32)] {
            #expect(libraryCode { _ = try CryptoBox.publicKey(ofEd25519: bad) } == .invalidInput)
        }
    }

    private func libraryCode(_ body: () throws -> Void) -> LibCryptoError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? LibCryptoError)?.code
        }
    }
}
