import LibCrypto
import SecretMemory
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct KeyDerivationTests {
    @Test func hkdfDerivesAsInCase1OfRFC5869() throws {
        let derived = try HKDF.sha256(
            inputKey: secret([UInt8](repeating: 0x0b, count: 22)), salt: hex("000102030405060708090a0b0c"),
            info: hex("f0f1f2f3f4f5f6f7f8f9"), count: 42)
        #expect(
            reveal(derived)
                == hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"))
    }

    @Test func hkdfDerivesAsInCase2OfRFC5869() throws {
        let derived = try HKDF.sha256(
            inputKey: secret((0x00...0x4f).map { UInt8($0) }), salt: (0x60...0xaf).map { UInt8($0) },
            info: (0xb0...0xff).map { UInt8($0) }, count: 82)
        #expect(
            reveal(derived)
                == hex(
                    """
                    b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09
                    da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87
                    """))
    }

    @Test func rfc5869Case3HasNeitherSaltNorInfo() throws {
        let derived = try HKDF.sha256(
            inputKey: secret([UInt8](repeating: 0x0b, count: 22)), salt: [], info: [], count: 42)
        #expect(
            reveal(derived)
                == hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"))
    }

    @Test func lengthsOutOfRangeAreRefused() throws {
        let key = try SecretBytes.random(count: 32)
        let empty = try SecretBytes.random(count: 0)
        for count in [-1, 0, 8161] {
            #expect(code { _ = try HKDF.sha256(inputKey: key, salt: [], info: [], count: count) } == .invalidInput)
        }
        #expect(code { _ = try HKDF.sha256(inputKey: empty, salt: [], info: [], count: 32) } == .invalidInput)
        let longest = try HKDF.sha256(inputKey: key, salt: [], info: [], count: 8160)
        #expect(longest.count == 8160)
    }

    /// RFC 4231, cases 1 to 4, 6 and 7 (5 is a truncated output).
    @Test(arguments: [
        (
            String(repeating: "0b", count: 20), "4869205468657265",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            String(repeating: "aa", count: 20), String(repeating: "dd", count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            "0102030405060708090a0b0c0d0e0f10111213141516171819", String(repeating: "cd", count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        (
            String(repeating: "aa", count: 131),
            "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b657920466972"
                + "7374",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            String(repeating: "aa", count: 131),
            "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65206b657920616e"
                + "642061206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565647320746f20"
                + "626520686173686564206265666f7265206265696e6720757365642062792074686520484d414320616c676f726974686d2e",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]) func hmacIsAsInRFC4231(key: String, data: String, mac: String) throws {
        #expect(try HMAC.sha256(key: secret(hex(key)), hex(data)) == hex(mac))
    }

    @Test func macOfNothingAndEmptyKey() throws {
        let key = try secret([UInt8]("key".utf8))
        #expect(
            try HMAC.sha256(key: key, []) == hex("5d5d139563c95b5967b9bd9a8c9b233a9dedb45072794cd232dc1b74832607d0"))
        let empty = try SecretBytes.random(count: 0)
        #expect(code { _ = try HMAC.sha256(key: empty, [1]) } == .invalidInput)
    }

    /// FIPS 180-4 examples: "abc" and the empty message.
    @Test func digestsAreThePublishedOnes() throws {
        let abc = [UInt8]("abc".utf8)
        #expect(
            try Digest.sha256(abc) == hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
        #expect(
            try Digest.sha256([]) == hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
        #expect(
            try Digest.sha384(abc)
                == hex(
                    """
                    cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7
                    """))
        #expect(
            try Digest.sha512(abc)
                == hex(
                    """
                    ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd
                    454d4423643ce80e2a9ac94fa54ca49f
                    """))
    }

    @Test func randomBytesDiffer() throws {
        #expect(try Random.bytes(0).isEmpty)
        let long = try Random.bytes(1000)
        #expect(long.count == 1000)
        #expect(Set(long).count > 200)
        #expect(try Random.bytes(32) != Random.bytes(32))
    }
}
