import LibCrypto
import SecretMemory
import TestSupport
import Testing

@testable import HybridSealing

/// Members of `hpke-hybrid.json`.
private struct HybridVectors: Decodable {
    struct Vector: Decodable {
        let name, mlkemSeed, ecPrivate, `public`, info, plaintext, ssPq, ssT, sharedSecret, key, baseNonce,
            sealed: String
    }
    let vectors: [Vector]
}

/// Members of `age-tagpq.json`.
private struct RecipientVector: Decodable {
    let `public`, recipient: String
}

@Suite(.timeLimit(.minutes(10))) struct HybridSealingTests {
    private let vectors: [HybridVectors.Vector]

    init() throws { vectors = try VectorFile.load("hpke-hybrid.json", as: HybridVectors.self).vectors }

    private func suite(_ vector: HybridVectors.Vector) throws -> HybridSuite {
        try #require(HybridSuite.allCases.first { vector.name.hasPrefix($0.rawValue) })
    }

    /// What a token would do.
    private func agree(_ suite: HybridSuite, _ scalar: [UInt8], _ point: [UInt8]) throws -> SecretBytes {
        try AgreementKey(curve: suite.curve, privateKey: secret(scalar)).agree(with: point)
    }

    @Test func whatOthersSealedOpens() throws {
        #expect(vectors.count == 2)
        for vector in vectors {
            let suite = try suite(vector)
            let recipient = try HybridRecipient(hex(vector.public))
            let sealed = hex(vector.sealed)
            let point = try HybridSealing.point(of: sealed, suite)
            let agreed = try agree(suite, hex(vector.ecPrivate), point)
            try expectSame(agreed, secret(hex(vector.ssT)))
            let opened = try HybridSealing.open(
                sealed, as: recipient, seed: secret(hex(vector.mlkemSeed)), agreed: agreed, info: hex(vector.info))
            try expectSame(opened, secret(hex(vector.plaintext)))
            #expect(sealed.count == 32 + suite.overhead && recipient.suite == suite)
        }
    }

    @Test func eachStepIsTheirs() throws {
        for vector in vectors {
            let suite = try suite(vector)
            let sealed = hex(vector.sealed)
            let recipient = try HybridRecipient(hex(vector.public))
            let postQuantum = try MLKEM.decapsulate(
                suite, seed: secret(hex(vector.mlkemSeed)), Array(sealed[..<suite.ciphertextLength]))
            try expectSame(postQuantum, secret(hex(vector.ssPq)))
            let shared = try HybridSealing.combine(
                suite, postQuantum, secret(hex(vector.ssT)), HybridSealing.point(of: sealed, suite), recipient.point)
            try expectSame(shared, secret(hex(vector.sharedSecret)))
            let keys = try HPKEKeys(suite, sharedSecret: shared, info: hex(vector.info))
            try expectSame(keys.key, secret(hex(vector.key)))
            #expect(keys.nonce == hex(vector.baseNonce))
            let made = try HybridRecipient.make(suite, seed: secret(hex(vector.mlkemSeed)), point: recipient.point)
            #expect(made == recipient)
        }
    }

    @Test func whatIsSealedHereOpensWithBothHalvesOnly() throws {
        for suite in HybridSuite.allCases {
            let seed = try SecretBytes.random(count: HybridSuite.seedLength)
            let key = try AgreementKey.generate(suite.curve)
            let recipient = try HybridRecipient.make(suite, seed: seed, point: key.publicKey)
            let lockKey = try SecretBytes.random(count: 32)
            let info = Array("a record".utf8)
            let sealed = try HybridSealing.seal(lockKey, to: recipient, info: info)
            #expect(try HybridSealing.seal(lockKey, to: recipient, info: info) != sealed)
            let agreed = try key.agree(with: try HybridSealing.point(of: sealed, suite))
            let opened = try HybridSealing.open(sealed, as: recipient, seed: seed, agreed: agreed, info: info)
            expectSame(opened, lockKey)

            let other = try SecretBytes.random(count: HybridSuite.seedLength)
            let noise = try SecretBytes.random(count: suite.fieldLength)
            let stranger = try HybridRecipient.make(suite, seed: other, point: key.publicKey)
            try refuses { try HybridSealing.open(sealed, as: recipient, seed: other, agreed: agreed, info: info) }
            try refuses { try HybridSealing.open(sealed, as: recipient, seed: seed, agreed: noise, info: info) }
            try refuses { try HybridSealing.open(sealed, as: recipient, seed: seed, agreed: agreed, info: info + [0]) }
            // The ML-KEM half of the public key is bound by its ciphertext, which only the seed opens.
            #expect(throws: HybridSealingError.self) {
                _ = try HybridSealing.open(sealed, as: stranger, seed: other, agreed: agreed, info: info)
            }
        }
    }

    @Test func everyAlteredByteAndEveryLengthIsTheSameError() throws {
        let vector = vectors[0]
        let suite = HybridSuite.mlkem768p256
        let recipient = try HybridRecipient(hex(vector.public))
        let sealed = hex(vector.sealed)
        let seed = try secret(hex(vector.mlkemSeed))
        func open(_ bytes: [UInt8]) throws -> SecretBytes {
            let agreed = try agree(suite, hex(vector.ecPrivate), try HybridSealing.point(of: bytes, suite))
            return try HybridSealing.open(bytes, as: recipient, seed: seed, agreed: agreed, info: hex(vector.info))
        }
        for place in stride(from: 0, to: sealed.count, by: 7) {
            var altered = sealed
            altered[place] ^= 1
            try refuses { try open(altered) }
        }
        for count in [0, 1, 1087, 1088, 1152, 1153, 1168, 1200] {
            try refuses { try open(Array(sealed.prefix(count))) }
        }
        try refuses { try open(sealed + [0]) }
    }

    private func expectSame(_ one: borrowing SecretBytes, _ other: borrowing SecretBytes) {
        let isSame = one.constantTimeEquals(other)
        #expect(isSame)
    }

    private func refuses(_ body: () throws -> SecretBytes) throws {
        do {
            _ = try body()
            Issue.record("it opened")
        } catch let error as HybridSealingError {
            #expect(error.code == .doesNotOpen && error.message == HybridSealingError.doesNotOpen.message)
        }
    }

    @Test func recipientsAreCheckedBeforeAnythingIsSealedToThem() throws {
        let bytes = hex(vectors[0].public)
        var coefficient = bytes
        // Twelve bits above q = 3329.
        coefficient[0] = 0xFF
        coefficient[1] |= 0x0F
        var point = bytes
        point[bytes.count - 1] ^= 1
        for wrong in [[], Array(bytes.dropLast()), bytes + [0], coefficient, point] {
            #expect { _ = try HybridRecipient(wrong) } throws: {
                ($0 as? HybridSealingError)?.code == .recipientRefused
            }
        }
    }

    @Test func theTextIsThatOfAge() throws {
        let vector = try VectorFile.load("age-tagpq.json", as: RecipientVector.self)
        let recipient = try HybridRecipient(hex(vector.public))
        #expect(recipient.text == vector.recipient)
        #expect(try HybridRecipient(text: vector.recipient) == recipient)
        #expect(try HybridRecipient(text: vector.recipient.uppercased()) == recipient)
        let letters = Array(vector.recipient)
        for place in [0, 8, 9, 10, 11, 500, letters.count - 1] {
            var altered = letters
            altered[place] = altered[place] == "q" ? "p" : "q"
            #expect(throws: HybridSealingError.self) { _ = try HybridRecipient(text: String(altered)) }
        }
        for wrong in [
            "", "age1tagpq1", "age1tagpq1qqqqqq", String(letters.dropLast()), vector.recipient + "q",
            "A" + vector.recipient.dropFirst(),
        ] {
            #expect(throws: HybridSealingError.self) { _ = try HybridRecipient(text: wrong) }
        }
        #expect(try HybridRecipient(hex(vectors[1].public)).text == nil)
    }
}
