import LibCrypto
import SecretMemory
import TestSupport
import Testing
import WorkingKeys

extension KeyWrappingTests {
    @Test(arguments: KeyType.allCases.filter { $0.agreementCurve != nil })
    func damagedWrappedKeysAreRefused(_ type: KeyType) throws {
        let curve = try #require(type.agreementCurve)
        let (old, new) = (try KeyMaterial.generate(type), try KeyMaterial.generate(type))
        let rotated = try WorkingKey(versions: [old, new], primary: 1)
        let recipient = try AgreementPublicKey(curve: curve, raw: #require(old.rawPublicKey), keyID: "k")
        let cek = try SecretBytes.random(count: 32)
        for xc20p in [false, true] {
            let wrapped = try KeyWrapping.wrap(cek, for: recipient, apu: [], apv: [7], xc20p: xc20p)
            #expect(wrapped.keyID == "k")
            // Wrapped before the rotation.
            #expect(try reveal(KeyWrapping.unwrap(wrapped, with: rotated, sender: nil, tag: [])) == reveal(cek))
            func unwraps(_ change: (inout WrappedKey) -> Void) -> WorkingKeyError.Code? {
                var changed = wrapped
                change(&changed)
                return code { _ = try KeyWrapping.unwrap(changed, with: rotated, sender: nil, tag: []) }
            }
            for index in wrapped.encryptedCEK.indices {
                #expect(unwraps { $0.encryptedCEK[index] ^= 1 } == .decryptionFailed)
            }
            for length in 0..<wrapped.encryptedCEK.count {
                #expect(unwraps { $0.encryptedCEK = Array($0.encryptedCEK.prefix(length)) } == .decryptionFailed)
            }
            #expect(unwraps { $0.apu = [1] } == .decryptionFailed)
            #expect(unwraps { $0.apv = [] } == .decryptionFailed)
            #expect(unwraps { $0.algorithm = "RSA-OAEP" } == .invalidArgument)
            let other = xc20p ? "ECDH-ES+A256KW" : "ECDH-ES+XC20PKW"
            #expect(unwraps { $0.algorithm = other } == .decryptionFailed)
        }
        for length in [0, 8, 15, 17, 33] {
            let odd = try SecretBytes.random(count: length)
            #expect(code { _ = try KeyWrapping.wrap(odd, for: recipient, apu: [], apv: []) } == .invalidArgument)
        }
        let short = try SecretBytes.random(count: 40)
        #expect(
            code { _ = try KeyWrapping.wrap(short, from: rotated, for: recipient, apu: [], apv: [], tag: []) }
                == .invalidArgument)
    }

    @Test func pointsThatAreNoKeysAreRefused() throws {
        let cek = try SecretBytes.random(count: 32)
        for curve in [AgreementCurve.p256, .p384, .p521] {
            let good = try AgreementKey.generate(curve).publicKey
            let width = curve.fieldLength
            var off = good
            off[off.count - 1] ^= 1
            let zero = [4] + [UInt8](repeating: 0, count: 2 * width)
            for raw in [off, zero, [4] + [UInt8](repeating: 0xFF, count: 2 * width)] {
                let point = try AgreementPublicKey(curve: curve, raw: raw)
                #expect(code { _ = try KeyWrapping.wrap(cek, for: point, apu: [], apv: []) } == .invalidArgument)
            }
            // Coordinates without their leading zeros, as Go writes them, mean the same point.
            let trimmed = try AgreementPublicKey(
                curve: curve.rawValue, type: "EC", x: Array(good[1...width].drop { $0 == 0 }),
                y: Array(good[(width + 1)...].drop { $0 == 0 }))
            #expect(trimmed.raw == good)
            for (x, y) in [([], Array(good[1...width])), (Array(good[1...width]), []), ([0] + good[1...width], [1])] {
                #expect(
                    code { _ = try AgreementPublicKey(curve: curve.rawValue, type: "EC", x: x, y: y) }
                        == .invalidArgument)
            }
        }
        // RFC 7748 §6.1 and the points of order 1, 2, 4 and 8.
        let lowOrder = [
            String(repeating: "00", count: 32), "01" + String(repeating: "00", count: 31),
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ]
        for text in lowOrder {
            let point = try AgreementPublicKey(curve: .x25519, raw: hex(text))
            #expect(code { _ = try KeyWrapping.wrap(cek, for: point, apu: [], apv: []) } == .invalidArgument, "\(text)")
        }
        #expect(code { _ = try AgreementPublicKey(curve: "X25519", type: "OKP", x: [1], y: []) } == .invalidArgument)
        let x = [UInt8](repeating: 9, count: 32)
        #expect(code { _ = try AgreementPublicKey(curve: "X25519", type: "EC", x: x, y: []) } == .invalidArgument)
        #expect(code { _ = try AgreementPublicKey(curve: "X25519", type: "OKP", x: x, y: x) } == .invalidArgument)
        #expect(code { _ = try AgreementPublicKey(curve: "secp256k1", type: "EC", x: x, y: x) } == .invalidArgument)
    }

    @Test func aCurveThatIsNotTheKeysIsRefusedByName() throws {
        let key = try WorkingKey(versions: [KeyMaterial.generate(.nistP256ECDHKW)], primary: 0)
        let recipient = try AgreementPublicKey(curve: .x25519, raw: AgreementKey.generate(.x25519).publicKey)
        let cek = try SecretBytes.random(count: 32)
        do {
            _ = try KeyWrapping.wrap(cek, from: key, for: recipient, apu: [], apv: [], tag: [])
            Issue.record("it wrapped")
        } catch {
            #expect(error.code == .invalidArgument)
            #expect(error.message.contains("X25519") && error.message.contains("P-256"))
        }
        let wrapped = try KeyWrapping.wrap(cek, for: recipient, apu: [], apv: [])
        #expect(code { _ = try KeyWrapping.unwrap(wrapped, with: key, sender: nil, tag: []) } == .invalidArgument)
    }

    @Test func everyCurveNameOfTheWireIsRead() throws {
        let key = try AgreementKey.generate(.p384)
        let (x, y) = (Array(key.publicKey[1...48]), Array(key.publicKey[49...]))
        for name in ["NIST_P384", "P-384", "secp384r1", "EllipticCurveType_NIST_P384"] {
            #expect(try AgreementPublicKey(curve: name, type: "EC", x: x, y: y).raw == key.publicKey)
        }
        let other = try AgreementKey.generate(.x25519)
        for name in ["X25519", "CURVE25519"] {
            let read = try AgreementPublicKey(curve: name, type: "", x: other.publicKey, y: [])
            #expect(read.raw == other.publicKey)
            #expect(read.type == "OKP")
        }
    }
}
