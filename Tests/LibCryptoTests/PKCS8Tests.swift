import LibCrypto
import SecretMemory
import TestSupport
import Testing

@Suite struct PKCS8Tests {
    private func message(_ bytes: [UInt8]) -> String? {
        do {
            _ = try SigningKey.importing(pkcs8: secret(bytes))
            return nil
        } catch let error as LibCryptoError {
            return error.code == .invalidInput ? error.message : "code \(error.code.rawValue): \(error.message)"
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        ("ED25519", SigningCurve.ed25519), ("P-256", .p256), ("P-384", .p384), ("P-521", .p521),
        ("secp256k1", .secp256k1),
    ]) func keysOfTheCommandImport(name: String, curve: SigningCurve) throws {
        for _ in 0..<3 {
            let bytes = try OpenSSLCommand.privateKey(name)
            let key = try SigningKey.importing(pkcs8: secret(bytes))
            #expect(key.curve == curve)
            #expect(key.subjectPublicKeyInfo == (try OpenSSLCommand.publicKey(of: bytes)))
            #expect(try key.verify(key.sign([1]), message: [1]))
        }
    }

    /// RFC 8410 §10.3: the key without and with its public part.
    @Test func rfc8410() throws {
        let plain = hex(
            "302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842")
        let publicKey = hex("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1")
        #expect(try SigningKey.importing(pkcs8: secret(plain)).publicKey == publicKey)
        // Attributes [0] with a friendly name, then the public part [1].
        let full = hex(
            """
            3072020101300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842a01f301d
            060a2a864886f70d01090914310f0c0d437572646c6520436861697273812100
            19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1
            """)
        #expect(try SigningKey.importing(pkcs8: secret(full)).publicKey == publicKey)
        var wrong = full
        wrong[wrong.count - 1] ^= 1
        #expect(message(wrong)?.contains("does not belong") == true)
        var version = full
        version[4] = 0
        #expect(message(version)?.contains("not a PKCS#8") == true)
        var lonely = plain
        lonely[4] = 1
        #expect(message(lonely)?.contains("not a PKCS#8") == true)
    }

    @Test func otherKeysAreRefusedByName() throws {
        let brainpool = try OpenSSLCommand.privateKey("brainpoolP256r1")
        #expect(message(brainpool)?.contains("brainpoolP256r1") == true)
        let p224 = try OpenSSLCommand.privateKey("P-224")
        #expect(message(p224)?.contains("P-224") == true)
        let explicit = try OpenSSLCommand.privateKey("P-256", options: ["ec_param_enc:explicit"])
        #expect(message(explicit)?.contains("only named curves") == true)
        let rsa = try OpenSSLCommand.privateKey("RSA", options: ["rsa_keygen_bits:1024"])
        #expect(message(rsa)?.contains("RSA") == true)
        let x25519 = try OpenSSLCommand.privateKey("X25519")
        #expect(message(x25519)?.contains("X25519") == true)
        let sec1 = try OpenSSLCommand.output(
            ["ec", "-inform", "DER", "-outform", "DER"], input: OpenSSLCommand.privateKey("P-256"))
        #expect(message(sec1) != nil)
    }

    @Test(arguments: ["P-256", "P-384", "P-521", "secp256k1"]) func aWrongPublicPartIsRefused(curve: String) throws {
        let bytes = try OpenSSLCommand.privateKey(curve)
        // The point is the last element.
        for index in [bytes.count - 1, bytes.count - 20] {
            var wrong = bytes
            wrong[index] ^= 1
            #expect(message(wrong)?.contains("does not belong") == true)
        }
        let other = try OpenSSLCommand.privateKey(curve)
        let mixed = bytes.dropLast(40) + other.suffix(40)
        #expect(message(Array(mixed))?.contains("does not belong") == true)
    }

    @Test func anInnerCurveMustBeTheOuterOne() throws {
        // ECPrivateKey with parameters [0] naming secp256k1 inside a P-256 algorithm.
        let scalar = [UInt8](repeating: 7, count: 32)
        let inner: [UInt8] = [0x02, 1, 1, 0x04, 32] + scalar + [0xA0, 7, 0x06, 5, 0x2B, 0x81, 0x04, 0x00, 0x0A]
        let sequence: [UInt8] = [0x30, UInt8(inner.count)] + inner
        let algorithm: [UInt8] = hex("301306072a8648ce3d020106082a8648ce3d030107")
        let body: [UInt8] = [0x02, 1, 0] + algorithm + [0x04, UInt8(sequence.count)] + sequence
        #expect(message([0x30, UInt8(body.count)] + body)?.contains("P-256 and secp256k1") == true)
    }

    @Test(arguments: ["ED25519", "P-256", "P-384", "P-521", "secp256k1"]) func damageIsRefused(name: String) throws {
        let bytes = try OpenSSLCommand.privateKey(name)
        for length in 0..<bytes.count { #expect(message(Array(bytes.prefix(length))) != nil) }
        #expect(message(bytes + [0]) != nil)
        #expect(message(bytes + bytes) != nil)
    }

    /// What a changed key file gives is a refusal or a working key, never a trap. `sanitize=address` runs this too.
    @Test(arguments: [("ED25519", 20_000), ("P-256", 20_000), ("P-521", 5_000), ("secp256k1", 5_000)])
    func mutationsNeverTrap(name: String, count: Int) throws {
        let bytes = try OpenSSLCommand.privateKey(name)
        var mutator = Mutator(seed: 8410)
        var refused = 0
        for _ in 0..<count {
            let mutated = mutator.mutate(bytes)
            do {
                let key = try SigningKey.importing(pkcs8: secret(mutated))
                #expect(key.publicKey.count == key.curve.publicKeyLength)
            } catch let error as LibCryptoError {
                #expect(error.code == .invalidInput)
                refused += 1
            }
        }
        #expect(refused > count / 3)
    }
}
