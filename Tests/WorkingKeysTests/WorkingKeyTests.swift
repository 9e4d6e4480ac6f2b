import LibCrypto
import SecretMemory
import TestSupport
import Testing
import WorkingKeys

@Suite(.timeLimit(.minutes(10))) struct WorkingKeyTests {
    private let message = [UInt8]("a message".utf8)

    private func key(_ versions: KeyMaterial..., primary: Int? = nil) throws -> WorkingKey {
        try WorkingKey(versions: versions, primary: primary ?? versions.count - 1)
    }

    @Test(arguments: KeyType.allCases) func everyTypeServesItsOperationsAndNoOther(_ type: KeyType) throws {
        let key = try key(KeyMaterial.generate(type))
        var served: Set<KeyOperation> = []
        func attempt(_ operation: KeyOperation, _ body: () throws -> Void) {
            switch code(body) {
            case nil: served.insert(operation)
            case let code: #expect(code == .unsupportedOperation)
            }
        }
        attempt(.sign) { _ = try key.sign(message) }
        attempt(.verify) { try key.verify(signature: key.sign(message), message: message) }
        attempt(.encrypt) { _ = try key.encrypt(message, associatedData: [1]) }
        attempt(.decrypt) {
            let (ciphertext, nonce) = try key.encrypt(message, associatedData: [1])
            #expect(try key.decrypt(ciphertext: ciphertext, nonce: nonce, associatedData: [1]) == message)
        }
        attempt(.computeMAC) { _ = try key.mac(message) }
        attempt(.verifyMAC) { try key.verifyMAC(key.mac(message), data: message) }
        let peer = try CryptoBox.publicKey(ofEd25519: SigningKey.generate(.ed25519).publicKey)
        let nonce = try Random.bytes(24)
        attempt(.easy) { _ = try key.easy(message, nonce: nonce, to: peer) }
        attempt(.easyOpen) {
            let own = key.primary.rawPublicKey ?? []
            #expect(
                code { _ = try key.easyOpen([UInt8](repeating: 0, count: 20), nonce: nonce, from: peer, own: own) }
                    == (type == .ed25519 ? .decryptionFailed : .unsupportedOperation))
            if type != .ed25519 { _ = try key.easyOpen([], nonce: nonce, from: peer, own: own) }
        }
        attempt(.sealOpen) {
            let own = key.primary.rawPublicKey ?? []
            if type != .ed25519 { _ = try key.sealOpen([], own: own) }
            let box = try CryptoBox.seal(message, to: CryptoBox.publicKey(ofEd25519: own))
            #expect(try key.sealOpen(box, own: own) == message)
        }
        let curve = type.agreementCurve ?? .p256
        let recipient = try AgreementPublicKey(curve: curve, raw: AgreementKey.generate(curve).publicKey)
        let cek = try SecretBytes.random(count: 32)
        attempt(.wrap) { _ = try KeyWrapping.wrap(cek, from: key, for: recipient, apu: [], apv: [], tag: []) }
        attempt(.unwrap) {
            let raw = type.agreementCurve == nil ? nil : key.primary.rawPublicKey
            let target = try AgreementPublicKey(curve: curve, raw: raw ?? recipient.raw)
            let wrapped = try KeyWrapping.wrap(cek, for: target, apu: [], apv: [1])
            let unwrapped = try KeyWrapping.unwrap(wrapped, with: key, sender: nil, tag: [])
            #expect(reveal(unwrapped) == reveal(cek))
        }
        let cache = BBSGeneratorCache()
        attempt(.signMulti) { _ = try key.signMulti([message], generators: cache) }
        attempt(.verifyMulti) {
            let signature = type == .bls12381G2 ? try key.signMulti([message], generators: cache) : []
            try key.verifyMulti(signature, messages: [message], generators: cache)
        }
        attempt(.deriveProof) {
            let signature = type == .bls12381G2 ? try key.signMulti([message], generators: cache) : []
            _ = try key.deriveProof(signature, messages: [message], revealed: [0], nonce: [9], generators: cache)
        }
        attempt(.verifyProof) {
            var proof: [UInt8] = []
            if type == .bls12381G2 {
                let signature = try key.signMulti([message], generators: cache)
                proof = try key.deriveProof(
                    signature, messages: [message], revealed: [0], nonce: [9], generators: cache)
            }
            try key.verifyProof(proof, messages: [message], nonce: [9], generators: cache)
        }
        #expect(served == type.operations)
        if !served.contains(.verify) {
            #expect(code { try key.verify(signature: [1], message: []) } == .unsupportedOperation)
        }
        if !served.contains(.decrypt) {
            #expect(
                code { _ = try key.decrypt(ciphertext: [], nonce: [], associatedData: []) } == .unsupportedOperation)
        }
        if !served.contains(.verifyMAC) {
            #expect(code { try key.verifyMAC([], data: []) } == .unsupportedOperation)
        }
    }

    /// Shapes of keystore-api table "Key types".
    @Test func outputsHaveTheirLengths() throws {
        let fixed: [(KeyType, Int)] = [
            (.ed25519, 64), (.ecdsaP256P1363, 64), (.ecdsaP384P1363, 96), (.ecdsaP521P1363, 132),
            (.ecdsaSecp256k1P1363, 69),
        ]
        for (type, length) in fixed { #expect(try key(KeyMaterial.generate(type)).sign(message).count == length) }
        for type in [KeyType.ecdsaP256DER, .ecdsaP384DER, .ecdsaP521DER] {
            #expect(try key(KeyMaterial.generate(type)).sign(message).first == 0x30)
        }
        let ciphers: [(KeyType, Int)] = [
            (.aes128GCM, 12), (.aes256GCM, 12), (.aes256GCMNoPrefix, 12), (.chaCha20Poly1305, 12),
            (.xChaCha20Poly1305, 24),
        ]
        for (type, nonceLength) in ciphers {
            let (ciphertext, nonce) = try key(KeyMaterial.generate(type)).encrypt(message, associatedData: [])
            #expect(nonce.count == nonceLength)
            #expect(ciphertext.count == message.count + 16)
        }
        let material = try KeyMaterial.generate(.hmacSHA256Tag256)
        let mac = try key(material).mac(message)
        #expect(mac.count == 37)
        #expect(OutputPrefix.split(mac)?.id == material.prefixID)
    }

    @Test(arguments: KeyType.allCases.filter { $0.operations.contains(.sign) })
    func signaturesSurviveRotation(_ type: KeyType) throws {
        let (old, new) = (try KeyMaterial.generate(type), try KeyMaterial.generate(type))
        let before = try key(old)
        let after = try key(old, new)
        let signature = try before.sign(message)
        try after.verify(signature: signature, message: message)
        let fresh = try after.sign(message)
        try after.verify(signature: fresh, message: message)
        #expect(code { try before.verify(signature: fresh, message: message) } == .verificationFailed)
        #expect(code { try after.verify(signature: fresh, message: []) } == .verificationFailed)
        for index in stride(from: 0, to: fresh.count, by: 3) {
            var changed = fresh
            changed[index] ^= 1
            #expect(code { try after.verify(signature: changed, message: message) } == .verificationFailed)
        }
        #expect(code { try after.verify(signature: [], message: message) } == .verificationFailed)
        #expect(after.primary.publicKey == new.publicKey)
    }

    @Test func secp256k1VerifiesWithAndWithoutPrefix() throws {
        let (old, new) = (
            try KeyMaterial.generate(.ecdsaSecp256k1P1363), try KeyMaterial.generate(.ecdsaSecp256k1P1363)
        )
        let signature = try key(old).sign(message)
        let rotated = try key(old, new)
        try rotated.verify(signature: signature, message: message)
        try rotated.verify(signature: Array(signature[5...]), message: message)
        var strange = signature
        strange[4] ^= 1
        #expect(code { try rotated.verify(signature: strange, message: message) } == .verificationFailed)
    }

    @Test(arguments: KeyType.allCases.filter { $0.operations.contains(.encrypt) })
    func ciphertextsSurviveRotation(_ type: KeyType) throws {
        let (old, new) = (try KeyMaterial.generate(type), try KeyMaterial.generate(type))
        let before = try key(old)
        let after = try key(old, new)
        let (ciphertext, nonce) = try before.encrypt(message, associatedData: [2])
        #expect(try after.decrypt(ciphertext: ciphertext, nonce: nonce, associatedData: [2]) == message)
        let fresh = try after.encrypt(message, associatedData: [2])
        #expect(
            code { _ = try before.decrypt(ciphertext: fresh.ciphertext, nonce: fresh.nonce, associatedData: [2]) }
                == .decryptionFailed)
    }

    @Test(arguments: KeyType.allCases.filter { $0.operations.contains(.encrypt) })
    func everyDecryptionFailureIsTheSame(_ type: KeyType) throws {
        let key = try key(KeyMaterial.generate(type), KeyMaterial.generate(type))
        let (ciphertext, nonce) = try key.encrypt(message, associatedData: [2])
        let attempts: [([UInt8], [UInt8], [UInt8])] = [
            (ciphertext, nonce, []), (ciphertext, nonce, [3]), (ciphertext, [], [2]), (ciphertext, nonce + [0], [2]),
            (ciphertext, Array(nonce.dropLast()), [2]), ([], nonce, [2]), (Array(ciphertext.dropLast()), nonce, [2]),
            (ciphertext + [0], nonce, [2]), (Array(ciphertext.reversed()), nonce, [2]),
        ]
        var messages: Set<String> = []
        for (ciphertext, nonce, associatedData) in attempts {
            do {
                _ = try key.decrypt(ciphertext: ciphertext, nonce: nonce, associatedData: associatedData)
                Issue.record("it decrypted")
            } catch {
                #expect(error.code == .decryptionFailed)
                messages.insert(error.message)
            }
        }
        #expect(messages.count == 1)
        let again = try key.encrypt(message, associatedData: [2])
        #expect(again.nonce != nonce)
    }

    @Test func macsSurviveRotation() throws {
        let (old, new) = (try KeyMaterial.generate(.hmacSHA256Tag256), try KeyMaterial.generate(.hmacSHA256Tag256))
        let raw = try KeyMaterial(
            type: .hmacSHA256Tag256, prefixID: nil, secret: SecretBytes.random(count: 32))
        let key = try key(old, raw, new)
        for version in [old, raw, new] {
            let mac = try WorkingKey(versions: [version], primary: 0).mac(message)
            #expect(mac.count == (version.prefixID == nil ? 32 : 37))
            try key.verifyMAC(mac, data: message)
            for index in mac.indices {
                var changed = mac
                changed[index] ^= 0x10
                #expect(code { try key.verifyMAC(changed, data: message) } == .verificationFailed)
            }
            #expect(code { try key.verifyMAC(Array(mac.dropLast()), data: message) } == .verificationFailed)
        }
        let other = try WorkingKey(versions: [old], primary: 0).mac(message)
        #expect(code { try WorkingKey(versions: [new], primary: 0).verifyMAC(other, data: message) } != nil)
        // A prefixed version does not vouch for a tag whose prefix was cut off.
        #expect(code { try key.verifyMAC(Array(other[5...]), data: message) } == .verificationFailed)
    }

    @Test func aKeyNeedsVersionsOfOneType() throws {
        let (one, other) = (try KeyMaterial.generate(.ed25519), try KeyMaterial.generate(.ecdsaP256DER))
        #expect(code { _ = try WorkingKey(versions: [], primary: 0) } == .invalidArgument)
        #expect(code { _ = try WorkingKey(versions: [one, other], primary: 0) } == .invalidArgument)
        #expect(code { _ = try WorkingKey(versions: [one], primary: 1) } == .invalidArgument)
        #expect(code { _ = try WorkingKey(versions: [one], primary: -1) } == .invalidArgument)
    }

    /// A token signs digests as r ‖ s; what leaves must verify like a signature made here.
    @Test(arguments: KeyType.allCases.filter { $0.signatureEncoding != nil })
    func signaturesOfATokenAreEncoded(_ type: KeyType) throws {
        let curve = try #require(type.signingCurve)
        let token = try SigningKey.generate(curve)
        let prefixID: UInt32? = type.hasOutputPrefix ? 77 : nil
        let fixed = try token.sign(message, encoding: .p1363)
        let digest = try ECDSASignatureEncoding.digest(message, for: type)
        #expect(try token.verificationKey.verify(fixed, digest: digest, encoding: .p1363))
        let signature = try ECDSASignatureEncoding.encode(fixedWidth: fixed, type: type, prefixID: prefixID)
        let verifier = try SignatureVerifier(type: type, versions: [(token.publicKey, prefixID)])
        try verifier.verify(signature: signature, message: message)
        #expect(code { try verifier.verify(signature: signature, message: []) } == .verificationFailed)
        #expect(
            code { _ = try ECDSASignatureEncoding.encode(fixedWidth: [1], type: type, prefixID: nil) }
                == .internalFailure)
    }
}
