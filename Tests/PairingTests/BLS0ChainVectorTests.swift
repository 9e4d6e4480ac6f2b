import Testing

@testable import Pairing

@Suite(.timeLimit(.minutes(10))) struct BLS0ChainVectorTests {
    let file: VectorFile

    init() throws { file = try VectorFile("bls-bn254.json") }

    func publicKey(_ secret: [UInt8]) throws -> [UInt8] {
        try secret.withUnsafeBytes { try BLS0Chain.publicKey(of: $0) }.encoded
    }

    func sign(_ message: [UInt8], _ secret: [UInt8]) throws -> [UInt8] {
        try secret.withUnsafeBytes { try BLS0Chain.sign(message, secretKey: $0) }.encoded
    }

    func verify(_ signature: [UInt8], _ message: [UInt8], _ key: [UInt8]) throws -> Bool {
        BLS0Chain.verify(
            try .init(encoded: signature, allowingInfinity: true), message: message,
            publicKey: try .init(encoded: key, allowingInfinity: true))
    }

    @Test func publicKeysComeOutAsInTheVectors() throws {
        let items = try file.items("keygen")
        #expect(items.count == 10)
        for item in items { #expect(try publicKey(item.hex("secret_key")) == item.hex("public_key"), "\(item.id)") }
        let generator = try #require(try file.items("generator").first)
        #expect(BN254.G2Point.generator.encoded == (try generator.hex("g2_serialized")))
    }

    @Test func signaturesComeOutAsInTheVectors() throws {
        let items = try file.items("sign")
        #expect(items.count == 10)
        for item in items {
            let message = try item.hex("message")
            #expect(try sign(message, item.hex("secret_key")) == item.hex("signature"), "\(item.id)")
            #expect(try publicKey(item.hex("secret_key")) == item.hex("public_key"), "\(item.id)")
            #expect(try verify(item.hex("signature"), message, item.hex("public_key")), "\(item.id)")
        }
    }

    @Test func signaturesAreJudgedAsTheVectorsSay() throws {
        let items = try file.items("verify")
        #expect(items.count == 5)
        for item in items {
            let result = try verify(item.hex("signature"), item.hex("message"), item.hex("public_key"))
            #expect(try result == item.flag("expected"), "\(item.id)")
        }
    }

    @Test func messagesHashToThePointsOfTheVectors() throws {
        let items = try file.items("hash_to_g1")
        #expect(items.count == 9)
        for item in items {
            let message = try item.hex("message")
            let t = try bytes(number: item.text("t"), count: 32)
            #expect(BN254.maskedFieldElement(SHA256.hash(message)).bigEndianBytes == t, "\(item.id)")
            let point = try BN254.hashToG1(message)
            #expect(try point.encoded == item.hex("point"), "\(item.id)")
            let coordinates = try bytes(number: item.text("x"), count: 32) + bytes(number: item.text("y"), count: 32)
            #expect(point.uncompressedBigEndian == [4] + coordinates, "\(item.id)")
        }
    }

    @Test func sharesOfTheVectorsAddUpToTheKey() throws {
        let items = try file.items("split")
        #expect(items.count == 5)
        for item in items {
            let message = try item.hex("message")
            var key = [UInt8](repeating: 0, count: 32)
            var total = BLS0Chain.Signature.infinity
            var keys = BLS0Chain.PublicKey.infinity
            for (index, share) in try item.hexes("shares").enumerated() {
                let partial = try sign(message, share)
                #expect(try partial == item.hexes("partial_signatures")[index], "\(item.id)")
                #expect(try publicKey(share) == item.hexes("share_public_keys")[index], "\(item.id)")
                total = total + (try .init(encoded: partial))
                keys = keys + (try .init(encoded: try publicKey(share)))
                key = try written { output in
                    try key.withUnsafeBytes { a in
                        try share.withUnsafeBytes { b in try BLS0Chain.add(a, b, into: output) }
                    }
                }
            }
            #expect(try key == item.hex("master_secret_key"), "\(item.id)")
            #expect(try keys.encoded == item.hex("master_public_key"), "\(item.id)")
            #expect(try total.encoded == item.hex("combined_signature"), "\(item.id)")
            #expect(try sign(message, key) == item.hex("combined_signature"), "\(item.id)")
        }
    }

    @Test func halfSignaturesOfTheVectorsAddUpToTheWhole() throws {
        let item = try #require(try file.items("zauth-sign").first)
        let message = try item.hex("message")
        let server = try sign(message, item.hex("server_secret_key"))
        #expect(try server == item.hex("server_partial_signature"))
        let peer = try item.hex("peer_partial_signature")
        #expect(try verify(peer, message, item.hex("peer_public_key")))
        let combined = try BN254.G1Point(encoded: server) + BN254.G1Point(encoded: peer)
        #expect(try combined.encoded == item.hex("combined_signature"))
        #expect(try verify(combined.encoded, message, item.hex("client_key")))
    }

    @Test func aggregatesComeOutAsInTheVectors() throws {
        let items = try file.items("aggregate_same_message")
        #expect(items.count == 2)
        for item in items {
            let keys = BN254.G2Point.sum(try item.hexes("public_keys").map { try .init(encoded: $0) })
            let signatures = BN254.G1Point.sum(try item.hexes("signatures").map { try .init(encoded: $0) })
            #expect(try keys.encoded == item.hex("aggregate_public_key"))
            #expect(try signatures.encoded == item.hex("aggregate_signature"))
            #expect(BLS0Chain.verify(signatures, message: try item.hex("message"), publicKey: keys))
        }
    }

    @Test func legacyFormsAreReadAsTheVectorsSay() throws {
        let key = try #require(try file.items("miracl-public-key").first)
        #expect(try BN254.G2Point(miracl: key.hex("miracl")).encoded == key.hex("public_key"))
        let signature = try #require(try file.items("miracl-signature").first)
        let parts = try signature.text("miracl").dropFirst().dropLast().split(separator: ",").map(String.init)
        let coordinates = try parts.flatMap { try bytes(number: $0, count: 32) }
        let point = try BN254.G1Point(uncompressedBigEndian: [4] + coordinates)
        #expect(try point.encoded == signature.hex("signature"))
    }

    @Test func maskedImportGivesTheScalarsOfTheVectors() throws {
        let items = try file.items("set_little_endian_masked")
        #expect(items.count == 2)
        for item in items {
            let input = try item.hex("input")
            let key = try written { output in
                try input.withUnsafeBytes { try BLS0Chain.importMasked($0, into: output) }
            }
            #expect(try key == item.hex("secret_key"), "\(item.id)")
        }
        let mnemonics = try file.items("mnemonic")
        #expect(mnemonics.count == 3)
        for item in mnemonics {
            let seed = try item.hex("bip39_seed")
            let key = try written { output in try seed.withUnsafeBytes { try BLS0Chain.importMasked($0, into: output) }
            }
            #expect(try key == item.hex("secret_key"), "\(item.id)")
            #expect(try publicKey(key) == item.hex("public_key"), "\(item.id)")
        }
    }

    @Test func invalidKeysAndSignaturesOfTheVectorsAreRefused() throws {
        let keys = try file.items("invalid_public_key")
        let signatures = try file.items("invalid_signature")
        let secrets = try file.items("invalid_secret_key")
        #expect(keys.count == 5 && signatures.count == 5 && secrets.count == 3)
        for item in keys {
            #expect(throws: PairingError.self, "\(item.id)") { try BN254.G2Point(encoded: item.hex("hex")) }
        }
        for item in signatures {
            guard let encoding = bytes(hex: try item.text("hex")) else {
                #expect(try item.text("note").contains("odd"))
                continue
            }
            #expect(throws: PairingError.self, "\(item.id)") { try BN254.G1Point(encoded: encoding) }
        }
        for item in secrets {
            #expect(throws: PairingError.self, "\(item.id)") {
                try item.hex("hex").withUnsafeBytes { try BLS0Chain.publicKey(of: $0) }
            }
        }
    }

    @Test func partialSignaturesOfAnchorsAreRecoveredAsInTheVectors() throws {
        let items = try file.items("hardware_anchored")
        #expect(items.count == 2)
        for item in items {
            let message = try item.hex("message")
            let hash = try BLS0Chain.HashedMessage(message)
            #expect(try hash.point.uncompressedBigEndian == [4] + coordinates(item, "point_P"))
            let anchor = BN254.PreparedPublicKey(try .init(encoded: item.hex("pk_h")))
            let x = try bytes(number: item.text("ecdh_x_of_P"), count: 32)
            let expected = try [4] + coordinates(item, "hP")
            let byPairing = try BLS0Chain.recoverAnchored(x: x, message: hash, anchor: anchor)
            #expect(byPairing.uncompressedBigEndian == expected)
            let token = try coordinates(item, "token_public_point")
            let anchorPoint = try BN254.G1Point(uncompressedBigEndian: [4] + token)
            let bySum = try BLS0Chain.recoverAnchored(
                x: x, xOfSum: bytes(number: item.text("ecdh_x_of_P_plus_G"), count: 32), message: hash,
                anchor: anchorPoint)
            #expect(bySum.uncompressedBigEndian == expected)
            let correction = try sign(message, item.hex("d"))
            let server = try byPairing + BN254.G1Point(encoded: correction)
            #expect(try server.encoded == item.hex("server_partial"))
            let combined = try server + BN254.G1Point(encoded: item.hex("user_partial"))
            #expect(try combined.encoded == item.hex("combined_signature"))
            // A faulty token answer is noticed by both methods.
            let other = try BN254.hashToG1([1, 2, 3]).uncompressedBigEndian?[1..<33]
            let wrong = Array(try #require(other))
            #expect(throws: PairingError.verificationFailed) {
                try BLS0Chain.recoverAnchored(x: wrong, message: hash, anchor: anchor)
            }
            #expect(throws: PairingError.verificationFailed) {
                try BLS0Chain.recoverAnchored(x: x, xOfSum: wrong, message: hash, anchor: anchorPoint)
            }
        }
    }

    func coordinates(_ item: Vector, _ name: String) throws -> [UInt8] {
        try item.texts(name).flatMap { try bytes(number: $0, count: 32) }
    }

    @Test func severalSignaturesOnOneMessage() throws {
        var random = TestRandom(seed: 61)
        let fill: (UnsafeMutableRawBufferPointer) -> Void = { $0.copyBytes(from: random.bytes($0.count)) }
        let items = try file.items("split")
        #expect(!items.isEmpty)
        for item in items {
            let message = try BLS0Chain.HashedMessage(item.hex("message"))
            var signed = try zip(item.hexes("partial_signatures"), item.hexes("share_public_keys")).map {
                (signature: try BN254.G1Point(encoded: $0), publicKey: try BN254.G2Point(encoded: $1))
            }
            signed.append(
                (
                    try .init(encoded: item.hex("combined_signature")),
                    try .init(encoded: item.hex("master_public_key"))
                ))
            #expect(try BLS0Chain.verifyEach(signed, message: message, from: fill))
            // Exchanging two signatures keeps their sum, which a check without random factors would accept.
            (signed[0].signature, signed[1].signature) = (signed[1].signature, signed[0].signature)
            #expect(try !BLS0Chain.verifyEach(signed, message: message, from: fill))
            #expect(try !BLS0Chain.verifyEach([], message: message, from: fill))
            #expect(try !BLS0Chain.verifyEach([(.infinity, .generator)], message: message, from: fill))
        }
    }

    @Test func twoOfThreeSharesGiveTheKeyOfTheVectors() throws {
        let item = try #require(try file.items("shamir_2_of_3").first)
        let secret = try BN254.Scalar(littleEndian: item.hex("secret_key"))
        let slope = try BN254.Scalar(littleEndian: item.hex("coefficient_1"))
        let shares = try #require(item.fields["shares"] as? [[String: Any]])
        #expect(shares.count == 3)
        for share in shares {
            let entry = Vector(fields: share)
            let id = BN254.Scalar(UInt64(try #require(share["id"] as? Int)))
            #expect(try (secret + slope * id).littleEndian == entry.hex("secret_key"))
        }
    }
}
