import LibCrypto
import SecretMemory
import TestSupport
import Testing
import WorkingKeys

@Suite(.timeLimit(.minutes(10))) struct KeyMaterialTests {
    @Test(arguments: KeyType.allCases) func serialisedMaterialComesBack(_ type: KeyType) throws {
        let material = try KeyMaterial.generate(type)
        #expect((material.prefixID != nil) == type.hasOutputPrefix)
        let bytes = try reveal(material.serialized())
        #expect(bytes.count == 11 + type.secretLength)
        #expect(Array(bytes[0..<3]) == [0x4B, 0x4D, 1])
        let again = try KeyMaterial(deserializing: secret(bytes))
        #expect(again.type == type)
        #expect(again.prefixID == material.prefixID)
        #expect(again.publicKey == material.publicKey)
        #expect(try again.thumbprint == material.thumbprint)
        #expect(try reveal(again.serialized()) == bytes)
        #expect((material.publicKey != nil) == type.isAsymmetric)
        #expect(try material.thumbprint?.count == (type.isAsymmetric ? 43 : nil))
    }

    /// Format 1 with fixed secrets, written down once; these bytes must be read for ever.
    @Test(arguments: [
        ("4b4d01010000000000" + "0020" + String(repeating: "11", count: 32), KeyType.ed25519, UInt32?.none),
        ("4b4d01020000000000" + "0020" + String(repeating: "11", count: 32), .ecdsaP256DER, nil),
        ("4b4d01030000000000" + "0030" + String(repeating: "11", count: 48), .ecdsaP384DER, nil),
        ("4b4d01040000000000" + "0042" + "00" + String(repeating: "11", count: 65), .ecdsaP521DER, nil),
        ("4b4d01050000000000" + "0020" + String(repeating: "11", count: 32), .ecdsaP256P1363, nil),
        ("4b4d01060000000000" + "0030" + String(repeating: "11", count: 48), .ecdsaP384P1363, nil),
        ("4b4d01070000000000" + "0042" + "00" + String(repeating: "11", count: 65), .ecdsaP521P1363, nil),
        ("4b4d01080112345678" + "0020" + String(repeating: "11", count: 32), .ecdsaSecp256k1P1363, 0x1234_5678),
        ("4b4d01100112345678" + "0010" + String(repeating: "11", count: 16), .aes128GCM, 0x1234_5678),
        ("4b4d01110112345678" + "0020" + String(repeating: "11", count: 32), .aes256GCM, 0x1234_5678),
        ("4b4d01120000000000" + "0020" + String(repeating: "11", count: 32), .aes256GCMNoPrefix, nil),
        ("4b4d01130112345678" + "0020" + String(repeating: "11", count: 32), .chaCha20Poly1305, 0x1234_5678),
        ("4b4d01140112345678" + "0020" + String(repeating: "11", count: 32), .xChaCha20Poly1305, 0x1234_5678),
        ("4b4d01200112345678" + "0020" + String(repeating: "11", count: 32), .hmacSHA256Tag256, 0x1234_5678),
        ("4b4d01300000000000" + "0020" + String(repeating: "11", count: 32), .nistP256ECDHKW, nil),
        ("4b4d01310000000000" + "0030" + String(repeating: "11", count: 48), .nistP384ECDHKW, nil),
        ("4b4d01320000000000" + "0042" + "00" + String(repeating: "11", count: 65), .nistP521ECDHKW, nil),
        ("4b4d01330000000000" + "0020" + String(repeating: "11", count: 32), .x25519ECDHKW, nil),
        ("4b4d01400000000000" + "0020" + String(repeating: "11", count: 32), .bls12381G2, nil),
    ]) func formatOneIsReadForEver(bytes: String, type: KeyType, prefixID: UInt32?) throws {
        let material = try KeyMaterial(deserializing: secret(hex(bytes)))
        #expect(material.type == type)
        #expect(material.prefixID == prefixID)
        #expect(try reveal(material.serialized()) == hex(bytes))
    }

    @Test(arguments: KeyType.allCases) func damagedMaterialIsRefused(_ type: KeyType) throws {
        let bytes = try reveal(KeyMaterial.generate(type).serialized())
        func refused(_ bytes: [UInt8]) -> Bool {
            code { _ = try KeyMaterial(deserializing: secret(bytes)) } == .internalFailure
        }
        for length in 0..<bytes.count { #expect(refused(Array(bytes.prefix(length)))) }
        #expect(refused(bytes + [0]))
        for (offset, value) in [(0, 0x4C), (1, 0), (2, 0), (2, 2), (3, 0), (3, 0xFF), (4, 2), (4, 0x80)] {
            var changed = bytes
            changed[offset] = UInt8(value)
            #expect(refused(changed), "offset \(offset), value \(value)")
        }
        if !type.hasOutputPrefix {
            var changed = bytes
            changed[8] = 1
            #expect(refused(changed))
        }
        if type.isAsymmetric, type != .ed25519, type != .x25519ECDHKW {
            let zero = Array(bytes[0..<11]) + [UInt8](repeating: 0, count: type.secretLength)
            #expect(refused(zero))
        }
    }

    @Test(arguments: [KeyType.ed25519, .ecdsaP256DER, .nistP256ECDHKW, .aes256GCM, .hmacSHA256Tag256])
    func mutatedMaterialNeverTraps(_ type: KeyType) throws {
        let bytes = try reveal(KeyMaterial.generate(type).serialized())
        var mutator = Mutator(seed: 1)
        var refused = 0
        for _ in 0..<12_500 {
            let mutated = mutator.mutate(bytes)
            do {
                let material = try KeyMaterial(deserializing: secret(mutated))
                #expect(try reveal(material.serialized()) == mutated)
            } catch let error as WorkingKeyError {
                #expect(error.code == .internalFailure)
                refused += 1
            }
        }
        #expect(refused > 1_000)
    }

    @Test(arguments: KeyType.allCases.filter { $0.isImportable }) func importedKeysWork(_ type: KeyType) throws {
        let curve = try #require(type.signingCurve)
        let name = curve == .ed25519 ? "ED25519" : curve.rawValue
        let pkcs8 = try OpenSSLCommand.privateKey(name)
        let material = try KeyMaterial.importing(pkcs8: secret(pkcs8), as: type)
        #expect(material.prefixID == nil)
        let spki = try OpenSSLCommand.publicKey(of: pkcs8)
        let raw = try #require(material.rawPublicKey)
        #expect(SubjectPublicKeyInfo.encode(curve: curve, publicKey: raw) == spki)
        #expect(material.publicKey == (type.signatureEncoding == .der ? spki : raw))
        let key = try WorkingKey(versions: [material], primary: 0)
        try key.verify(signature: key.sign([1]), message: [1])
    }

    @Test(arguments: KeyType.allCases) func aWrongCurveIsRefusedByName(_ type: KeyType) throws {
        for curve in SigningCurve.allCases where curve != type.signingCurve {
            let pkcs8 = try OpenSSLCommand.privateKey(curve == .ed25519 ? "ED25519" : curve.rawValue)
            do {
                _ = try KeyMaterial.importing(pkcs8: secret(pkcs8), as: type)
                Issue.record("a \(curve.rawValue) key was taken for \(type.rawValue)")
            } catch let error as WorkingKeyError {
                if type.isImportable {
                    #expect(error.code == .invalidArgument)
                    #expect(error.message.contains("is on \(curve.rawValue)"))
                } else {
                    #expect(error.code == .unsupportedOperation)
                }
            }
        }
    }

    @Test(arguments: KeyType.allCases) func secretsOfAWrongLengthAreRefused(_ type: KeyType) throws {
        for length in [0, type.secretLength - 1, type.secretLength + 1] {
            let bytes = [UInt8](repeating: 1, count: length)
            #expect(
                code { _ = try KeyMaterial(type: type, prefixID: nil, secret: secret(bytes)) } == .invalidArgument)
        }
    }

    @Test func typesAreNamedAsInTheAPI() {
        #expect(KeyType.allCases.count == 19)
        #expect(KeyType(rawValue: "ECDSASecp256k1IEEEP1363") == .ecdsaSecp256k1P1363)
        #expect(KeyType(rawValue: "ECDSASecp256k1DER") == nil)
        #expect(KeyType.allCases.filter { $0.isImportable }.count == 7)
    }
}
