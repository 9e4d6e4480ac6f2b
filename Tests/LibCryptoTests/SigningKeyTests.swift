import LibCrypto
import SecretMemory
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct SigningKeyTests {
    /// RFC 8032 §7.1, tests 1, 2, 3 and SHA(abc).
    @Test(arguments: [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0"
                + "595bbe24655141438e7a100b"
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eae"
                + "b4302aeeb00d291612bb0c00"
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9"
                + "716ed28dc027beceea1ec40a"
        ),
        (
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423"
                + "643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c"
                + "138ac17ad9bef1177331a704"
        ),
    ]) func ed25519SignsAsInRFC8032(seed: String, publicKey: String, message: String, signature: String) throws {
        let key = try SigningKey(curve: .ed25519, privateKey: secret(hex(seed)))
        #expect(key.publicKey == hex(publicKey))
        #expect(try key.sign(hex(message)) == hex(signature))
        #expect(try key.verify(hex(signature), message: hex(message)))
        #expect(try reveal(key.privateKey()) == hex(seed))
    }

    /// RFC 8032 §5.1.7: S must be less than the group order, or a signature would have a second form.
    @Test func aSignatureHasOneForm() throws {
        let key = try SigningKey.generate(.ed25519)
        let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        var signature = try key.sign([1])
        var carry = 0
        for index in 0..<32 {
            let digit = Int(signature[32 + index]) + Int(order[index]) + carry
            signature[32 + index] = UInt8(digit & 0xFF)
            carry = digit >> 8
        }
        #expect(carry == 0)
        #expect(try !key.verify(signature, message: [1]))
    }

    /// RFC 6979 A.2.5 to A.2.7, message "sample": keys of known public points, and signatures that must verify.
    @Test(arguments: [
        (
            SigningCurve.p256, "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
            "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
            "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
                + "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
        ),
        (
            .p384,
            "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
            "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13",
            "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C3AE0D4FE7344FD2533264720",
            "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46"
                + "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8"
        ),
    ]) func ecdsaVerifiesSignaturesOfRFC6979(curve: SigningCurve, d: String, x: String, y: String, signature: String)
        throws
    {
        let key = try SigningKey(curve: curve, privateKey: secret(hex(d)))
        #expect(key.publicKey == [4] + hex(x) + hex(y))
        let message = [UInt8]("sample".utf8)
        #expect(try key.verify(hex(signature), message: message, encoding: .p1363))
        let der = try #require(ECDSASignature.der(fromP1363: hex(signature), curve: curve))
        #expect(try key.verify(der, message: message, encoding: .der))
        #expect(try !key.verify(der, message: message + [0], encoding: .der))
    }

    @Test(arguments: SigningCurve.allCases) func generatedKeysSignVerifyAndTravel(_ curve: SigningCurve) throws {
        let key = try SigningKey.generate(curve)
        let message = try Random.bytes(100)
        let again = try SigningKey(curve: curve, privateKey: key.privateKey())
        #expect(again.publicKey == key.publicKey)
        #expect(key.publicKey.count == curve.publicKeyLength)
        let stranger = try VerificationKey(curve: curve, publicKey: key.publicKey)
        let other = try SigningKey.generate(curve)
        for encoding in ECDSASignature.Encoding.allCases {
            for length in [0, 1, 100] {
                let message = Array(message.prefix(length))
                let signature = try key.sign(message, encoding: encoding)
                if encoding == .p1363 { #expect(signature.count == curve.fixedSignatureLength) }
                #expect(try stranger.verify(signature, message: message, encoding: encoding))
                #expect(try again.verify(signature, message: message, encoding: encoding))
                #expect(try !other.verify(signature, message: message, encoding: encoding))
                #expect(try !stranger.verify(signature, message: message + [1], encoding: encoding))
            }
        }
    }

    @Test(arguments: SigningCurve.allCases) func everyFlippedSignatureBitIsRefused(_ curve: SigningCurve) throws {
        let key = try SigningKey.generate(curve)
        let signature = try key.sign([1, 2, 3], encoding: .p1363)
        for index in signature.indices {
            var changed = signature
            changed[index] ^= 1 << (index % 8)
            #expect(try !key.verify(changed, message: [1, 2, 3], encoding: .p1363))
        }
        for length in [0, 1, signature.count - 1] {
            #expect(try !key.verify(Array(signature.prefix(length)), message: [1, 2, 3], encoding: .p1363))
        }
        #expect(try !key.verify(signature + [0], message: [1, 2, 3], encoding: .p1363))
    }

    @Test func scalarsOutOfRangeAreRefused() throws {
        let orders: [(SigningCurve, String)] = [
            (.p256, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"),
            (.secp256k1, "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141"),
        ]
        for (curve, order) in orders {
            let order = hex(order)
            var below = order
            below[31] -= 1
            var above = order
            above[31] += 1
            #expect(code { _ = try SigningKey(curve: curve, privateKey: secret(order)) } == .invalidInput)
            #expect(code { _ = try SigningKey(curve: curve, privateKey: secret(above)) } == .invalidInput)
            #expect(code { _ = try SigningKey(curve: curve, privateKey: secret(below)) } == nil)
        }
        for curve in SigningCurve.allCases where curve != .ed25519 {
            let zero = [UInt8](repeating: 0, count: curve.privateKeyLength)
            #expect(code { _ = try SigningKey(curve: curve, privateKey: secret(zero)) } == .invalidInput)
            let full = [UInt8](repeating: 0xFF, count: curve.privateKeyLength)
            #expect(code { _ = try SigningKey(curve: curve, privateKey: secret(full)) } == .invalidInput)
        }
        for curve in SigningCurve.allCases {
            for length in [0, curve.privateKeyLength - 1, curve.privateKeyLength + 1] {
                let bytes = [UInt8](repeating: 1, count: length)
                #expect(code { _ = try SigningKey(curve: curve, privateKey: secret(bytes)) } == .invalidInput)
            }
        }
    }

    @Test(arguments: SigningCurve.allCases) func badPublicKeysAreRefused(_ curve: SigningCurve) throws {
        guard curve != .ed25519 else {
            let identity = [1] + [UInt8](repeating: 0, count: 31)
            let orderTwo = hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")
            let orderEight = hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
            let notOnCurve = [2] + [UInt8](repeating: 0, count: 31)
            for bad in [[1], [], identity, orderTwo, orderEight, notOnCurve, [UInt8](repeating: 0xFF, count: 32)] {
                #expect(code { _ = try VerificationKey(curve: curve, publicKey: bad) } == .invalidInput)
            }
            return
        }
        let good = try SigningKey.generate(curve).publicKey
        var off = good
        off[off.count - 1] ^= 1
        let compressed = [2] + good[1..<curve.privateKeyLength + 1]
        var hybrid = good
        hybrid[0] = 6 | (good[good.count - 1] & 1)
        let zero = [4] + [UInt8](repeating: 0, count: good.count - 1)
        let huge = [4] + [UInt8](repeating: 0xFF, count: good.count - 1)
        for bad in [off, Array(compressed), hybrid, zero, huge, [], [0], Array(good.dropLast()), good + [0]] {
            #expect(code { _ = try VerificationKey(curve: curve, publicKey: bad) } == .invalidInput)
        }
    }

    @Test func manyThreadsShareOneKey() async throws {
        for curve in [SigningCurve.ed25519, .p256] {
            let key = try SigningKey.generate(curve)
            let valid = try await withThrowingTaskGroup(of: Int.self) { group in
                for task in 0..<4 {
                    group.addTask {
                        var valid = 0
                        for round in 0..<100 {
                            let message = [UInt8(task), UInt8(round)]
                            if try key.verify(try key.sign(message), message: message) { valid += 1 }
                        }
                        return valid
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(valid == 400)
        }
    }

    /// A full secure heap refuses new keys and leaves room for signing with those held.
    @Test func aFullHeapRefusesKeysButSigns() async {
        await #expect(processExitsWith: .success) {
            try LibCrypto.prepare(secureHeap: 1 << 16)
            var held: [SigningKey] = []
            var refusal: LibCryptoError?
            while refusal == nil, held.count < 10_000 {
                do {
                    held.append(try SigningKey.generate(.p256))
                } catch let error as LibCryptoError {
                    refusal = error
                }
            }
            precondition(refusal?.code == .capacityExceeded, "\(String(describing: refusal))")
            precondition(held.count > 100, "only \(held.count) keys fit")
            let key = held[0]
            let signs = try key.verify(key.sign([1]), message: [1])
            precondition(signs, "a held key must go on signing")
            held.removeAll()
            _ = try SigningKey.generate(.p256)
        }
    }
}
