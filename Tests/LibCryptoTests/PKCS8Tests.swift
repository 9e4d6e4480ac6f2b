import LibCrypto
import SecretMemory
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct PKCS8Tests {
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
    @Test func ed25519KeysImportAsInRFC8410() throws {
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

    /// SEC 1 §2.3.3 and X9.62 §4.3.6 know three forms of a point, and OpenSSL writes each.
    @Test(
        arguments: ["P-256", "P-384", "P-521", "secp256k1"], ["compressed", "uncompressed", "hybrid"])
    func keysWithEveryFormOfPublicPointImport(curve: String, form: String) throws {
        for _ in 0..<4 {
            let plain = try OpenSSLCommand.privateKey(curve)
            let sec1 = try OpenSSLCommand.output(
                ["ec", "-inform", "DER", "-outform", "DER", "-conv_form", form], input: plain)
            let pkcs8 = try OpenSSLCommand.output(
                ["pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-outform", "DER"], input: sec1)
            let expected = try SigningKey.importing(pkcs8: secret(plain))
            #expect(try SigningKey.importing(pkcs8: secret(pkcs8)).publicKey == expected.publicKey)
            #expect(
                try SigningKey.importing(sec1: secret(sec1), curve: expected.curve).publicKey == expected.publicKey)
            var wrong = sec1
            wrong[wrong.count - 1] ^= 1
            #expect(throws: LibCryptoError.self) {
                try SigningKey.importing(sec1: secret(wrong), curve: expected.curve)
            }
        }
    }

    @Test func aCompressedPointOfTheOtherSignIsRefused() throws {
        let key = try SigningKey.generate(.p256)
        let scalar = try key.privateKey().withUnsafeBytes { Array($0) }
        let x = Array(key.publicKey[1...32])
        let parity = key.publicKey[64] & 1
        func wrapped(_ point: [UInt8]) -> [UInt8] {
            let bits: [UInt8] = [0x03, UInt8(point.count + 1), 0] + point
            let inner: [UInt8] = [0x02, 1, 1, 0x04, 32] + scalar + [0xA1, UInt8(bits.count)] + bits
            let body = hex("020100301306072a8648ce3d020106082a8648ce3d030107") + element(0x04, element(0x30, inner))
            return element(0x30, body)
        }
        #expect(message(wrapped([0x02 | parity] + x)) == nil)
        #expect(message(wrapped([0x03 ^ parity] + x))?.contains("does not belong") == true)
        #expect(message(wrapped([0x06 | parity] + key.publicKey.dropFirst())) == nil)
        #expect(message(wrapped([0x07 ^ parity] + key.publicKey.dropFirst()))?.contains("does not belong") == true)
        for point in [[], [0], [0x02 | parity], [0x05] + x, [0x02 | parity] + x + [0]] as [[UInt8]] {
            #expect(message(wrapped(point))?.contains("does not belong") == true, "\(point)")
        }
    }

    /// RFC 5958's own place for a public key, which some writers tag explicitly, holds compressed points too.
    @Test func thePublicKeyOfTheEnvelopeIsReadInEveryForm() throws {
        let key = try SigningKey.generate(.p384)
        let scalar = try key.privateKey().withUnsafeBytes { Array($0) }
        let compressed = [0x02 | key.publicKey[96] & 1] + key.publicKey[1...48]
        let start =
            hex("020101301006072a8648ce3d020106052b81040022")
            + element(0x04, element(0x30, [0x02, 1, 1] + element(0x04, scalar)))
        #expect(message(element(0x30, start + element(0x81, [0] + compressed))) == nil)
        #expect(message(element(0x30, start + element(0xA1, element(0x03, [0] + key.publicKey)))) == nil)
        let twice = element(0xA1, element(0x03, [0] + compressed) + element(0x03, [0] + compressed))
        #expect(message(element(0x30, start + twice))?.contains("not one bit string") == true)
        let odd = element(0x81, [1] + compressed)
        #expect(message(element(0x30, start + odd))?.contains("not a string of whole bytes") == true)
    }

    private func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        content.count < 0x80
            ? [tag, UInt8(content.count)] + content : [tag, 0x81, UInt8(content.count)] + content
    }

    @Test func whatIsNotAcceptedIsNamed() throws {
        let plain = try OpenSSLCommand.privateKey("P-256")
        let pem = try OpenSSLCommand.output(["pkey", "-inform", "DER"], input: plain)
        #expect(message(pem)?.contains("it is PEM") == true)
        let encrypted = try OpenSSLCommand.output(
            ["pkcs8", "-topk8", "-inform", "DER", "-outform", "DER", "-passout", "pass:x"], input: plain)
        #expect(message(encrypted)?.contains("is encrypted") == true)
        let sec1 = try OpenSSLCommand.output(["ec", "-inform", "DER", "-outform", "DER"], input: plain)
        #expect(message(sec1)?.contains("SEC 1") == true)
        #expect(message([0x30, 0x80] + plain.dropFirst(2) + [0, 0])?.contains("indefinite length") == true)
        #expect(message(plain + [0])?.contains("bytes follow its end") == true)
        let seed = element(0x04, element(0x04, [UInt8](repeating: 7, count: 32)))
        let withNull = element(0x30, hex("020100300706032b65700500") + seed)
        #expect(message(withNull)?.contains("takes no parameters") == true)
        let short = element(0x30, hex("020100300506032b6570") + element(0x04, element(0x04, [1, 2, 3])))
        #expect(message(short)?.contains("has 3 bytes, not 32") == true)
        let implicit = element(0x30, hex("020100300b06072a8648ce3d02010500") + seed)
        #expect(message(implicit)?.contains("(NULL)") == true)
        let nameless = element(0x30, hex("020100300906072a8648ce3d0201") + seed)
        #expect(message(nameless)?.contains("names no curve") == true)
        let wide = element(0x04, element(0x30, [0x02, 1, 1] + element(0x04, [UInt8](repeating: 0, count: 33))))
        let tooWide = element(0x30, hex("020100301306072a8648ce3d020106082a8648ce3d030107") + wide)
        #expect(message(tooWide)?.contains("has 33 bytes, not 32") == true)
        #expect(message(element(0x30, [0x02, 1, 2] + hex("300506032b6570") + seed))?.contains("version is 2") == true)
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
