import Foundation
import Testing

@testable import Pairing

@Suite(.timeLimit(.minutes(10))) struct BBSPlusTests {
    let file: VectorFile

    init() throws { file = try VectorFile("bbs.json") }

    func list(_ name: String) throws -> [Vector] {
        try #require(file.root[name] as? [[String: Any]]).map { Vector(fields: $0) }
    }

    func object(_ name: String) throws -> Vector {
        Vector(fields: try #require(file.root[name] as? [String: Any]))
    }

    func base64(_ text: String) throws -> [UInt8] { Array(try #require(Data(base64Encoded: text))) }

    func generators(_ key: [UInt8], _ count: Int) throws -> BBSGenerators {
        try BBSGenerators(publicKey: .init(compressed: key), messageCount: count)
    }

    /// Hands out 32-byte scalars as 64 bytes, so that the reduction gives them back.
    func scripted(_ scalars: [[UInt8]]) -> BBSPlus.Generator {
        var rest = scalars[...]
        return { buffer in
            let next = try #require(rest.first)
            rest = rest.dropFirst()
            buffer.copyBytes(from: [UInt8](repeating: 0, count: 32) + next)
        }
    }

    @Test func keyPairsComeOutAsInTheVectors() throws {
        let pairs = try list("keypair")
        #expect(pairs.count == 2)
        for pair in pairs {
            let secret = try pair.hex("private_key_hex")
            let key = try secret.withUnsafeBytes { try BBSPlus.publicKey(of: $0) }
            #expect(try key.compressed == pair.hex("public_key_hex"))
        }
        let seeded = pairs[1]
        let material = hkdf(
            salt: Array("BBS-SIG-KEYGEN-SALT-".utf8), input: try seeded.hex("seed_hex") + [0], info: [0, 0], count: 32)
        #expect(try material == seeded.hex("hkdf_okm_hex"))
        let secret = try written { output in
            try material.withUnsafeBytes { try BBSPlus.secretKey(fromKeyMaterial: $0, into: output) }
        }
        #expect(try secret == seeded.hex("private_key_hex"))
    }

    @Test func messagesHashToTheScalarsOfTheVectors() throws {
        let items = try list("message_to_scalar")
        #expect(items.count == 4)
        for item in items {
            #expect(try BBSPlus.hashToScalar(base64(item.text("message"))).bigEndian == item.hex("scalar_hex"))
        }
        let expansion = try object("xmd")
        let uniform = try MessageExpansion.xmd(
            expansion.hex("msg_hex"), tag: expansion.tag(), count: 128, hash: .blake2b512)
        #expect(try uniform == expansion.hex("uniform_bytes_128_hex"))
        let point = BLS12381.G1Point(try BBSGenerators.point(try expansion.hex("msg_hex")))
        #expect(try point.compressed == expansion.hex("point_compressed_hex"))
    }

    @Test func generatorsComeOutAsInTheVectors() throws {
        let item = try object("generators")
        let key = try base64(item.text("public_key"))
        #expect(try BLS12381.G2Point(compressed: key).uncompressed == item.hex("g2_uncompressed_hex"))
        let generators = try generators(key, 4)
        #expect(try BLS12381.G1Point(generators.blinding).compressed == item.hex("h0_compressed_hex"))
        let messages = generators.messages.map { BLS12381.G1Point($0).compressed }
        #expect(try messages == item.hexes("h_compressed_hex"))
    }

    @Test func signaturesOfTheVectorsAreJudgedAsTheySay() throws {
        let items = try list("verify_signature")
        #expect(items.count == 3)
        for item in items {
            let messages = try item.texts("messages").map { try base64($0) }
            let signature = try BBSSignature(encoded: base64(item.text("signature")))
            #expect(try signature.encoded == base64(item.text("signature")))
            let generators = try generators(base64(item.text("public_key")), messages.count)
            let valid = BBSPlus.verify(signature, messages: messages, generators: generators)
            #expect(try valid == item.flag("valid"))
        }
    }

    @Test func proofsOfTheVectorsAreJudgedAsTheySay() throws {
        let items = try list("verify_proof")
        #expect(items.count == 4)
        for item in items {
            let encoded = try base64(item.text("proof"))
            let proof = try BBSProof(encoded: encoded)
            #expect(proof.encoded == encoded)
            #expect(proof.messageCount == item.fields["total_messages"] as? Int)
            #expect(proof.revealed == item.fields["revealed_indexes"] as? [Int])
            let generators = try generators(base64(item.text("public_key")), proof.messageCount)
            let messages = try item.texts("revealed_messages").map { try base64($0) }
            let nonce = try base64(item.text("nonce"))
            let valid = try BBSPlus.verifyProof(
                proof, revealedMessages: messages, nonce: nonce, generators: generators)
            #expect(try valid == item.flag("valid"))
            #expect(throws: PairingError.invalidCount) {
                try BBSPlus.verifyProof(
                    proof, revealedMessages: messages.dropLast(), nonce: nonce, generators: generators)
            }
            let extra = try BBSPlus.verifyProof(
                proof, revealedMessages: messages + [[1]], nonce: nonce, generators: generators)
            #expect(extra == valid)
        }
    }

    @Test func deterministicSignatureAndProof() throws {
        let item = try object("deterministic_sign")
        let secret = try item.hex("private_key_hex")
        let messages = try item.texts("messages").map { try base64($0) }
        let key = try secret.withUnsafeBytes { try BBSPlus.publicKey(of: $0) }
        let generators = try BBSGenerators(publicKey: key, messageCount: messages.count)
        let signature = try secret.withUnsafeBytes {
            try BBSPlus.sign(
                messages, secretKey: $0, generators: generators,
                from: scripted([item.hex("e_hex"), item.hex("s_hex")]))
        }
        #expect(try signature.encoded == item.hex("signature_hex"))

        let derived = try object("deterministic_derive_proof")
        #expect(try derived.hex("signature_hex") == signature.encoded)
        let proof = try BBSPlus.deriveProof(
            signature, messages: messages, revealed: try #require(derived.fields["revealed_indexes"] as? [Int]),
            nonce: base64(derived.text("nonce")), generators: generators,
            from: scripted(derived.hexes("random_scalars_hex")))
        #expect(try proof.encoded == derived.hex("proof_hex"))
    }

    @Test func everySubsetOfFourMessagesProves() throws {
        var random = TestRandom(seed: 51)
        let fill: BBSPlus.Generator = { $0.copyBytes(from: random.bytes($0.count)) }
        let secret = try written { try BLS12381.generateSecretKey(into: $0, from: fill) }
        let key = try secret.withUnsafeBytes { try BBSPlus.publicKey(of: $0) }
        let messages: [[UInt8]] = [[], [1], Array("two".utf8), [UInt8](repeating: 3, count: 300)]
        let generators = try BBSGenerators(publicKey: key, messageCount: 4)
        let signature = try secret.withUnsafeBytes {
            try BBSPlus.sign(messages, secretKey: $0, generators: generators, from: fill)
        }
        #expect(BBSPlus.verify(signature, messages: messages, generators: generators))
        #expect(!BBSPlus.verify(signature, messages: messages.reversed(), generators: generators))
        for subset in 1..<16 {
            let indexes = (0..<4).filter { (subset >> $0) & 1 == 1 }
            let proof = try BBSPlus.deriveProof(
                signature, messages: messages, revealed: indexes.reversed(), nonce: [9], generators: generators,
                from: fill)
            let decoded = try BBSProof(encoded: proof.encoded)
            #expect(decoded == proof && decoded.revealed == indexes)
            var shown = indexes.map { messages[$0] }
            #expect(try BBSPlus.verifyProof(decoded, revealedMessages: shown, nonce: [9], generators: generators))
            #expect(try !BBSPlus.verifyProof(decoded, revealedMessages: shown, nonce: [8], generators: generators))
            shown[0].append(7)
            #expect(try !BBSPlus.verifyProof(decoded, revealedMessages: shown, nonce: [9], generators: generators))
        }
        for revealed in [[], [4], [-1], [1, 1]] as [[Int]] {
            #expect(throws: PairingError.invalidCount) {
                try BBSPlus.deriveProof(
                    signature, messages: messages, revealed: revealed, nonce: [], generators: generators, from: fill)
            }
        }
        #expect(throws: PairingError.verificationFailed) {
            try BBSPlus.deriveProof(
                signature, messages: messages.reversed(), revealed: [0], nonce: [], generators: generators, from: fill)
        }
        #expect(throws: PairingError.invalidCount) { try BBSGenerators(publicKey: key, messageCount: 0) }
    }

    /// Damaged proofs and signatures are refused, and none crashes.
    @Test func mutatedProofsNeverVerify() throws {
        var random = TestRandom(seed: 52)
        let item = try list("verify_proof")[1]
        let encoded = try base64(item.text("proof"))
        let generators = try generators(base64(item.text("public_key")), 4)
        let messages = try item.texts("revealed_messages").map { try base64($0) }
        for round in 0..<2_000 {
            var bytes = encoded
            switch round % 4 {
            case 0: bytes.removeLast(Int(random.next() % UInt64(bytes.count)) + 1)
            case 1: bytes.append(UInt8(truncatingIfNeeded: round))
            case 2: bytes[Int(random.next() % 6)] ^= UInt8(truncatingIfNeeded: 1 + random.next() % 255)
            default: bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
            }
            guard let proof = try? BBSProof(encoded: bytes), proof.messageCount == 4 else { continue }
            let valid = try? BBSPlus.verifyProof(
                proof, revealedMessages: messages, nonce: Array("nonce".utf8), generators: generators)
            #expect(valid != true)
        }
        let signature = try base64(list("verify_signature")[0].text("signature"))
        for _ in 0..<500 {
            var bytes = signature
            bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
            if let decoded = try? BBSSignature(encoded: bytes) { #expect(decoded.encoded == bytes) }
        }
        #expect(throws: PairingError.wrongLength(expected: 112, actual: 111)) {
            try BBSSignature(encoded: signature.dropLast())
        }
    }
}
