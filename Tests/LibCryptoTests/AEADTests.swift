import LibCrypto
import SecretMemory
import TestSupport
import Testing

struct AEADVector: Sendable, CustomTestStringConvertible {
    let origin: String
    let algorithm: AEADAlgorithm
    let key, nonce, associatedData, plaintext, sealed: String
    var testDescription: String { origin }
}

private let sunscreen = """
    4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c64206f
    6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c6420
    62652069742e
    """

private let vectors = [
    AEADVector(
        origin: "GCM specification (McGrew, Viega), test case 1", algorithm: .aes128GCM,
        key: "00000000000000000000000000000000", nonce: "000000000000000000000000", associatedData: "", plaintext: "",
        sealed: "58e2fccefa7e3061367f1d57a4e7455a"),
    AEADVector(
        origin: "GCM specification, test case 4", algorithm: .aes128GCM,
        key: "feffe9928665731c6d6a8f9467308308", nonce: "cafebabefacedbaddecaf888",
        associatedData: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plaintext: """
            d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525
            b16aedf5aa0de657ba637b39
            """,
        sealed: """
            42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05
            1ba30b396a0aac973d58e091 5bc94fbc3221a5db94fae95ae7121a47
            """),
    AEADVector(
        origin: "GCM specification, test case 16", algorithm: .aes256GCM,
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", nonce: "cafebabefacedbaddecaf888",
        associatedData: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plaintext: """
            d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525
            b16aedf5aa0de657ba637b39
            """,
        sealed: """
            522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838
            c5f61e6393ba7a0abcc9f662 76fc6ece0f4e1768cddf8853bb2d551b
            """),
    AEADVector(
        origin: "RFC 8439 §2.8.2", algorithm: .chaCha20Poly1305,
        key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", nonce: "070000004041424344454647",
        associatedData: "50515253c0c1c2c3c4c5c6c7", plaintext: sunscreen,
        sealed: """
            d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b
            1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc
            3ff4def08e4b7a9de576d26586cec64b6116 1ae10b594f09e26a7e902ecbd0600691
            """),
    AEADVector(
        origin: "draft-irtf-cfrg-xchacha A.3.1", algorithm: .xChaCha20Poly1305,
        key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        nonce: "404142434445464748494a4b4c4d4e4f5051525354555657",
        associatedData: "50515253c0c1c2c3c4c5c6c7", plaintext: sunscreen,
        sealed: """
            bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39
            ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9
            21f9664c97637da9768812f615c68b13b52e c0875924c1c7987947deafd8780acf49
            """),
]

@Suite(.timeLimit(.minutes(10))) struct AEADTests {
    @Test(arguments: vectors) func publishedVectorsSealAndOpen(_ vector: AEADVector) throws {
        let key = try secret(hex(vector.key))
        let sealed = try AEAD.seal(
            hex(vector.plaintext), key: key, nonce: hex(vector.nonce), associatedData: hex(vector.associatedData),
            algorithm: vector.algorithm)
        #expect(sealed == hex(vector.sealed))
        let opened = try AEAD.open(
            sealed, key: key, nonce: hex(vector.nonce), associatedData: hex(vector.associatedData),
            algorithm: vector.algorithm)
        #expect(opened == hex(vector.plaintext))
    }

    @Test(arguments: AEADAlgorithm.allCases) func secretsSealAndOpenLikeArrays(_ algorithm: AEADAlgorithm) throws {
        let key = try SecretBytes.random(count: algorithm.keyLength)
        let nonce = try Random.bytes(algorithm.nonceLength)
        for length in [0, 1, 15, 16, 17, 1000] {
            let payload = try SecretBytes.random(count: length)
            let sealed = try AEAD.sealSecret(
                payload, key: key, nonce: nonce, associatedData: [7], algorithm: algorithm)
            let fromArray = try AEAD.seal(
                reveal(payload), key: key, nonce: nonce, associatedData: [7], algorithm: algorithm)
            #expect(sealed == fromArray)
            let opened = try AEAD.openSecret(
                sealed, key: key, nonce: nonce, associatedData: [7], algorithm: algorithm)
            let same = opened.constantTimeEquals(payload)
            #expect(same)
        }
    }

    @Test(arguments: AEADAlgorithm.allCases) func everyChangedByteIsRefused(_ algorithm: AEADAlgorithm) throws {
        let key = try SecretBytes.random(count: algorithm.keyLength)
        let nonce = try Random.bytes(algorithm.nonceLength)
        let associatedData: [UInt8] = [1, 2, 3]
        let sealed = try AEAD.seal(
            [UInt8]("a message".utf8), key: key, nonce: nonce, associatedData: associatedData, algorithm: algorithm)
        func opens(_ sealed: [UInt8], _ nonce: [UInt8], _ associatedData: [UInt8]) -> LibCryptoError.Code? {
            code {
                _ = try AEAD.open(
                    sealed, key: key, nonce: nonce, associatedData: associatedData, algorithm: algorithm)
            }
        }
        #expect(opens(sealed, nonce, associatedData) == nil)
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(opens(changed, nonce, associatedData) == .authenticationFailed)
        }
        for index in nonce.indices {
            var changed = nonce
            changed[index] ^= 0x80
            #expect(opens(sealed, changed, associatedData) == .authenticationFailed)
        }
        for length in 0..<sealed.count {
            #expect(opens(Array(sealed.prefix(length)), nonce, associatedData) == .authenticationFailed)
        }
        #expect(opens(sealed + [0], nonce, associatedData) == .authenticationFailed)
        #expect(opens(sealed, nonce, []) == .authenticationFailed)
        #expect(opens(sealed, nonce, associatedData + [0]) == .authenticationFailed)
    }

    @Test(arguments: AEADAlgorithm.allCases) func wrongLengthsAreRefused(_ algorithm: AEADAlgorithm) throws {
        let nonce = try Random.bytes(algorithm.nonceLength)
        for length in [0, 1, algorithm.keyLength - 1, algorithm.keyLength + 1] {
            let key = try SecretBytes.random(count: length)
            #expect(
                code {
                    _ = try AEAD.seal([1], key: key, nonce: nonce, associatedData: [], algorithm: algorithm)
                } == .invalidInput)
        }
        let key = try SecretBytes.random(count: algorithm.keyLength)
        for length in [0, 8, algorithm.nonceLength - 1, algorithm.nonceLength + 1, 4096] {
            let nonce = [UInt8](repeating: 0, count: length)
            #expect(
                code {
                    _ = try AEAD.seal([1], key: key, nonce: nonce, associatedData: [], algorithm: algorithm)
                } == .invalidInput)
            #expect(
                code {
                    _ = try AEAD.open(
                        [UInt8](repeating: 0, count: 40), key: key, nonce: nonce, associatedData: [],
                        algorithm: algorithm)
                } == .invalidInput)
        }
    }
}
