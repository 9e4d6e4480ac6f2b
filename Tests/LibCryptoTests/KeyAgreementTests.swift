import LibCrypto
import SecretMemory
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct KeyAgreementTests {
    /// RFC 3394 §4.1, §4.2, §4.3, §4.4, §4.5 and §4.6.
    @Test(arguments: [
        (16, 16, "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"),
        (24, 16, "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D"),
        (32, 16, "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7"),
        (24, 24, "031D33264E15D33268F24EC260743EDCE1C6C7DDEE725A936BA814915C6762D2"),
        (32, 24, "A8F9BC1612C68B3FF6E6F4FBE30E71E4769C8B80A32CB8958CD5D17D6B254DA1"),
        (32, 32, "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"),
    ]) func keysWrapAsInRFC3394(wrappingKeyLength: Int, keyLength: Int, wrapped: String) throws {
        let wrappingKey = try secret((0..<wrappingKeyLength).map { UInt8($0) })
        let key = hex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F").prefix(keyLength)
        #expect(try AESKeyWrap.wrap(secret(Array(key)), under: wrappingKey) == hex(wrapped))
        #expect(try reveal(AESKeyWrap.unwrap(hex(wrapped), under: wrappingKey)) == Array(key))
        for index in hex(wrapped).indices {
            var changed = hex(wrapped)
            changed[index] ^= 0x40
            #expect(code { _ = try AESKeyWrap.unwrap(changed, under: wrappingKey) } == .authenticationFailed)
        }
        for length in 0..<hex(wrapped).count {
            let short = Array(hex(wrapped).prefix(length))
            #expect(code { _ = try AESKeyWrap.unwrap(short, under: wrappingKey) } == .authenticationFailed)
        }
    }

    /// The value is by pyca/cryptography; what the token unwraps is tested with anchors.
    @Test func keysWrapWithPaddingAsInRFC5649() throws {
        let wrappingKey = try secret((0..<32).map { UInt8($0) })
        let key = try secret((100..<121).map { UInt8($0) })
        #expect(
            try AESKeyWrap.wrapPadded(key, under: wrappingKey)
                == hex("FA3ADB5BF3486EDBA33AFBF9C7EE24EFFF2FD023156B1F5903A36439B3F28B61"))
        #expect(code { _ = try AESKeyWrap.wrapPadded(key, under: try SecretBytes.random(count: 16)) } == .invalidInput)
        #expect(
            code { _ = try AESKeyWrap.wrapPadded(try SecretBytes.random(count: 0), under: wrappingKey) }
                == .invalidInput)
    }

    @Test func lengthsThatCannotBeWrappedAreRefused() throws {
        let wrappingKey = try SecretBytes.random(count: 32)
        for length in [0, 8, 15, 17, 25, AESKeyWrap.longestKey + 8] {
            let key = try SecretBytes.random(count: length)
            #expect(code { _ = try AESKeyWrap.wrap(key, under: wrappingKey) } == .invalidInput)
        }
        let key = try SecretBytes.random(count: 16)
        for length in [0, 8, 15, 17, 33] {
            let wrappingKey = try SecretBytes.random(count: length)
            #expect(code { _ = try AESKeyWrap.wrap(key, under: wrappingKey) } == .invalidInput)
            #expect(
                code { _ = try AESKeyWrap.unwrap([UInt8](repeating: 0, count: 24), under: wrappingKey) }
                    == .invalidInput)
        }
    }

    /// RFC 7748 §6.1.
    @Test func x25519AgreesAsInRFC7748() throws {
        let alice = try AgreementKey(
            curve: .x25519, privateKey: secret(hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")))
        let bob = try AgreementKey(
            curve: .x25519, privateKey: secret(hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")))
        #expect(alice.publicKey == hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
        #expect(bob.publicKey == hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"))
        let common = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
        #expect(try reveal(alice.agree(with: bob.publicKey)) == common)
        #expect(try reveal(bob.agree(with: alice.publicKey)) == common)
    }

    @Test(arguments: AgreementCurve.allCases) func bothSidesAgree(_ curve: AgreementCurve) throws {
        for _ in 0..<5 {
            let (one, other) = (try AgreementKey.generate(curve), try AgreementKey.generate(curve))
            let common = try reveal(one.agree(with: other.publicKey))
            #expect(common == (try reveal(other.agree(with: one.publicKey))))
            #expect(common.count == curve.fieldLength)
            let again = try AgreementKey(curve: curve, privateKey: one.privateKey())
            #expect(again.publicKey == one.publicKey)
            for bad in [[], Array(other.publicKey.dropLast()), other.publicKey + [0]] {
                #expect(code { _ = try one.agree(with: bad) } == .invalidInput)
            }
        }
        for length in [0, curve.fieldLength - 1, curve.fieldLength + 1] {
            let bytes = [UInt8](repeating: 1, count: length)
            #expect(code { _ = try AgreementKey(curve: curve, privateKey: secret(bytes)) } == .invalidInput)
        }
    }
}
