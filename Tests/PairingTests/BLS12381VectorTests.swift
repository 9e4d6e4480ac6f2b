import Testing

@testable import Pairing

@Suite(.timeLimit(.minutes(10))) struct BLS12381VectorTests {
    let file: VectorFile

    init() throws { file = try VectorFile("bls12-381.json") }

    @Test func hashToG1() throws {
        let items = try file.items("hash_to_g1")
        #expect(items.count == 8)
        for item in items {
            let point = try BLS12381.hashToG1(item.hex("message"), tag: item.tag())
            #expect(try hex(point.compressed) == item.text("compressed"), "\(item.id)")
            #expect(try hex(point.uncompressed) == item.text("x") + item.text("y"), "\(item.id)")
        }
    }

    @Test func hashToG2() throws {
        let items = try file.items("hash_to_g2")
        #expect(items.count == 7)
        for item in items {
            let point = try BLS12381.hashToG2(item.hex("message"), tag: item.tag())
            #expect(try hex(point.compressed) == item.text("compressed"), "\(item.id)")
            let x = try item.texts("x")
            let y = try item.texts("y")
            #expect(hex(point.uncompressed) == x[1] + x[0] + y[1] + y[0], "\(item.id)")
        }
    }

    @Test(arguments: ["sign", "sign_augmented", "pop_prove"])
    func signaturesComeOutAsInTheVectors(type: String) throws {
        let items = try file.items(type)
        #expect(items.count == ["sign": 12, "sign_augmented": 2, "pop_prove": 2][type])
        for item in items {
            let secret = try item.hex("secret_key")
            let key = try item.hex("public_key")
            let message = type == "pop_prove" ? key : (type == "sign_augmented" ? key : []) + (try item.hex("message"))
            let expected = try item.hex(type == "pop_prove" ? "proof" : "signature")
            let tag = try item.tag()
            if try item.text("suite") == "min-sig" {
                let signature = try secret.withUnsafeBytes { try BLSMinSig.sign(message, tag: tag, secretKey: $0) }
                let publicKey = try secret.withUnsafeBytes { try BLSMinSig.publicKey(of: $0) }
                #expect(signature.compressed == expected && publicKey.compressed == key, "\(item.id)")
                #expect(BLSMinSig.verify(signature, message: message, tag: tag, publicKey: publicKey), "\(item.id)")
            } else {
                let signature = try secret.withUnsafeBytes { try BLSMinPK.sign(message, tag: tag, secretKey: $0) }
                let publicKey = try secret.withUnsafeBytes { try BLSMinPK.publicKey(of: $0) }
                #expect(signature.compressed == expected && publicKey.compressed == key, "\(item.id)")
                #expect(BLSMinPK.verify(signature, message: message, tag: tag, publicKey: publicKey), "\(item.id)")
            }
        }
    }

    @Test func signaturesAreJudgedAsTheVectorsSay() throws {
        let items = try file.items("verify")
        #expect(items.count == 6)
        for item in items {
            let (message, tag) = (try item.hex("message"), try item.tag())
            let (signature, key) = (try item.hex("signature"), try item.hex("public_key"))
            let result =
                try item.text("suite") == "min-sig"
                ? BLSMinSig.verify(
                    .init(compressed: signature, allowingInfinity: true), message: message, tag: tag,
                    publicKey: .init(compressed: key, allowingInfinity: true))
                : BLSMinPK.verify(
                    .init(compressed: signature, allowingInfinity: true), message: message, tag: tag,
                    publicKey: .init(compressed: key, allowingInfinity: true))
            #expect(try result == item.flag("expected"), "\(item.id)")
        }
    }

    @Test func fastAggregatesAreJudgedAsTheVectorsSay() throws {
        let items = try file.items("fast_aggregate_verify")
        #expect(items.count == 8)
        for item in items {
            let keys = try item.hexes("public_keys").map { try? BLS12381.G1Point(compressed: $0) }
            var result = false
            if !keys.isEmpty, !keys.contains(nil),
                let signature = try? BLS12381.G2Point(compressed: try item.hex("signature"))
            {
                result = BLSMinPK.verify(
                    signature, message: try item.hex("message"), tag: try item.tag(),
                    publicKey: BLS12381.G1Point.sum(keys.compactMap { $0 }))
            }
            #expect(try result == item.flag("expected"), "\(item.id)")
        }
    }

    @Test func aggregatesOfDistinctMessages() throws {
        let items = try file.items("aggregate_distinct_messages")
        #expect(items.count == 2)
        for item in items {
            let (keys, messages) = (try item.hexes("public_keys"), try item.hexes("messages"))
            let (signatures, tag) = (try item.hexes("signatures"), try item.tag())
            let expected = try item.hex("aggregate_signature")
            if try item.text("suite") == "min-sig" {
                let aggregate = BLS12381.G1Point.sum(try signatures.map { try .init(compressed: $0) })
                #expect(aggregate.compressed == expected)
                let signed = try zip(messages, keys).map { ($0, BLS12381.PreparedPublicKey(try .init(compressed: $1))) }
                #expect(BLSMinSig.verifyAggregate(aggregate, of: signed, tag: tag))
                #expect(!BLSMinSig.verifyAggregate(aggregate, of: Array(signed.dropLast()), tag: tag))
            } else {
                let aggregate = BLS12381.G2Point.sum(try signatures.map { try .init(compressed: $0) })
                #expect(aggregate.compressed == expected)
                let signed = try zip(messages, keys).map { ($0, try BLS12381.G1Point(compressed: $1)) }
                #expect(BLSMinPK.verifyAggregate(aggregate, of: signed, tag: tag))
                #expect(!BLSMinPK.verifyAggregate(aggregate, of: Array(signed.dropLast()), tag: tag))
            }
        }
    }

    @Test func publicKeysAndEncodings() throws {
        let items = try file.items("pubkey")
        #expect(items.count == 2)
        for item in items {
            let secret = try item.hex("secret_key")
            let g1 = try secret.withUnsafeBytes { try BLSMinPK.publicKey(of: $0) }
            let g2 = try secret.withUnsafeBytes { try BLSMinSig.publicKey(of: $0) }
            #expect(try g1.compressed == item.hex("public_key_g1") && g1.uncompressed == item.hex("uncompressed_g1"))
            #expect(try g2.compressed == item.hex("public_key_g2") && g2.uncompressed == item.hex("uncompressed_g2"))
            #expect(try BLS12381.G1Point(uncompressed: g1.uncompressed) == g1)
            #expect(try BLS12381.G2Point(uncompressed: g2.uncompressed) == g2)
        }
    }

    @Test func keysAreGeneratedAsInTheVectors() throws {
        let items = try file.items("keygen_hkdf")
        #expect(items.count == 2)
        for item in items {
            let salt = SHA256.hash(Array("BLS-SIG-KEYGEN-SALT-".utf8))
            let material = hkdf(
                salt: salt, input: try item.hex("ikm") + [0], info: try item.hex("key_info") + [0, 48], count: 48)
            let secret = try written { output in
                try material.withUnsafeBytes { try BLS12381.reduceKeyMaterial($0, into: output) }
            }
            #expect(try secret == item.hex("secret_key"))
            let publicKey = try secret.withUnsafeBytes { try BLSMinSig.publicKey(of: $0) }
            #expect(try publicKey.compressed == item.hex("public_key_g2"))
        }
    }

    @Test func sharesOfTheVectorsAddUpToTheKey() throws {
        let items = try file.items("split")
        #expect(items.count == 3)
        for item in items {
            let (message, tag) = (try item.hex("message"), try item.tag())
            let minSig = try item.text("suite") == "min-sig"
            var (g1, g2) = (BLS12381.G1Point.infinity, BLS12381.G2Point.infinity)
            var key = [UInt8](repeating: 0, count: 32)
            for (index, share) in try item.hexes("shares").enumerated() {
                let partial: [UInt8] = try share.withUnsafeBytes { share in
                    if minSig {
                        let signature = try BLSMinSig.sign(message, tag: tag, secretKey: share)
                        g1 = g1 + signature
                        g2 = g2 + (try BLSMinSig.publicKey(of: share))
                        return signature.compressed
                    }
                    let signature = try BLSMinPK.sign(message, tag: tag, secretKey: share)
                    g2 = g2 + signature
                    g1 = g1 + (try BLSMinPK.publicKey(of: share))
                    return signature.compressed
                }
                #expect(try partial == item.hexes("partial_signatures")[index])
                key = try written { output in
                    try key.withUnsafeBytes { a in
                        try share.withUnsafeBytes { b in try BLS12381.add(a, b, into: output) }
                    }
                }
            }
            #expect(try (minSig ? g1.compressed : g2.compressed) == item.hex("combined_signature"))
            #expect(try (minSig ? g2.compressed : g1.compressed) == item.hex("master_public_key"))
            #expect(try key == item.hex("master_secret_key"))
        }
    }

    @Test func partialSignaturesOfAnchorsAddUpAsInTheVectors() throws {
        let items = try file.items("hardware_anchored")
        #expect(items.count == 2)
        for item in items {
            let (message, tag) = (try item.hex("message"), try item.tag())
            let hash = try BLS12381.hashToG1(message, tag: tag)
            #expect(try hex(hash.uncompressed) == item.texts("point_P").joined())
            let token = try item.hex("h").withUnsafeBytes { try BLSMinSig.sign(message, tag: tag, secretKey: $0) }
            #expect(try hex(token.uncompressed) == item.texts("hP").joined())
            let hashed = try BLSMinSig.HashedMessage(message, tag: tag)
            let (x, xOfSum) = (try item.hex("ecdh_x_of_P"), try item.hex("ecdh_x_of_P_plus_G"))
            let anchor = BLS12381.PreparedPublicKey(try .init(compressed: item.hex("pk_h")))
            #expect(try BLSMinSig.recoverAnchored(x: x, message: hashed, anchor: anchor) == token)
            let inG1 = try BLS12381.G1Point(
                uncompressed: item.texts("token_public_point").flatMap { try bytes(number: $0, count: 48) })
            #expect(
                try BLSMinSig.recoverAnchored(x: x, xOfSum: xOfSum, message: hashed, anchor: inG1) == token)
            #expect(throws: PairingError.self) {
                try BLSMinSig.recoverAnchored(x: xOfSum, message: hashed, anchor: anchor)
            }
            #expect(throws: PairingError.self) {
                try BLSMinSig.recoverAnchored(x: x, xOfSum: x, message: hashed, anchor: inG1)
            }
            let correction = try item.hex("d").withUnsafeBytes { try BLSMinSig.sign(message, tag: tag, secretKey: $0) }
            #expect(try (token + correction).compressed == item.hex("server_partial"))
            let user = try BLS12381.G1Point(compressed: item.hex("user_partial"))
            #expect(try (token + correction + user).compressed == item.hex("combined_signature"))
        }
    }

    @Test func invalidPointsAndKeysOfTheVectorsAreRefused() throws {
        let g1 = try file.items("invalid_g1_compressed")
        let g2 = try file.items("invalid_g2_compressed")
        let secrets = try file.items("invalid_secret_key")
        #expect(g1.count == 4 && g2.count == 4 && secrets.count == 2)
        for item in g1 {
            #expect(throws: PairingError.self, "\(item.id)") { try BLS12381.G1Point(compressed: item.hex("hex")) }
        }
        for item in g2 {
            #expect(throws: PairingError.self, "\(item.id)") { try BLS12381.G2Point(compressed: item.hex("hex")) }
        }
        for item in secrets {
            #expect(throws: PairingError.self, "\(item.id)") {
                try item.hex("hex").withUnsafeBytes { try BLSMinSig.publicKey(of: $0) }
            }
        }
    }
}

/// HKDF-SHA-256 for the tests only; the daemon takes it from libcrypto.
func hkdf(salt: [UInt8], input: [UInt8], info: [UInt8], count: Int) -> [UInt8] {
    func hmac(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        let padded = key + [UInt8](repeating: 0, count: 64 - key.count)
        return SHA256.hash(padded.map { $0 ^ 0x5c } + SHA256.hash(padded.map { $0 ^ 0x36 } + message))
    }
    let key = hmac(salt, input)
    var (output, block): ([UInt8], [UInt8]) = ([], [])
    for index in 1...((count + 31) / 32) {
        block = hmac(key, block + info + [UInt8(index)])
        output += block
    }
    return Array(output.prefix(count))
}
