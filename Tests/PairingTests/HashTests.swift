import Testing

@testable import Pairing

@Suite(.timeLimit(.minutes(10))) struct HashTests {
    /// FIPS 180-4 examples and a message of a million bytes.
    @Test func sha256GivesThePublishedDigests() {
        #expect(
            hex(SHA256.hash(Array("abc".utf8))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(hex(SHA256.hash([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            hex(SHA256.hash(Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)))
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(
            hex(SHA256.hash(repeatElement(0x61, count: 1_000_000)))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    /// RFC 7693 appendix A, and lengths around the block size against each other.
    @Test func blake2bGivesThePublishedDigests() {
        #expect(
            hex(BLAKE2b.hash(Array("abc".utf8), outputLength: 64))
                == "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                + "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923")
        #expect(
            hex(BLAKE2b.hash([], outputLength: 64))
                == "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419"
                + "d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce")
        for count in [127, 128, 129, 255, 256, 257] {
            let message = [UInt8](repeating: 7, count: count)
            var parts = BLAKE2b(outputLength: 48)
            parts.update(message.prefix(100))
            parts.update(message.dropFirst(100))
            #expect(parts.finalize() == BLAKE2b.hash(message, outputLength: 48))
        }
    }

    @Test func messageExpansionRefusesWhatIsBeyondItsLimits() throws {
        #expect(throws: PairingError.invalidHashInput) {
            try MessageExpansion.xmd([], tag: [], count: 32, hash: .sha256)
        }
        #expect(throws: PairingError.invalidHashInput) {
            try MessageExpansion.xmd([], tag: [1], count: 255 * 32 + 1, hash: .sha256)
        }
        #expect(try MessageExpansion.xmd([], tag: [1], count: 255 * 32, hash: .sha256).count == 255 * 32)
        let long = [UInt8](repeating: 1, count: 256)
        let short = SHA256.hash(Array("H2C-OVERSIZE-DST-".utf8) + long)
        #expect(
            try MessageExpansion.xmd([9], tag: long, count: 80, hash: .sha256)
                == MessageExpansion.xmd([9], tag: short, count: 80, hash: .sha256))
    }
}
