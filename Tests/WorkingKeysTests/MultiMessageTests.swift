import SecretMemory
import TestSupport
import Testing

@testable import Pairing
@testable import WorkingKeys

/// Members of `bbs.json`.
private struct BBSVectors: Decodable {
    struct Signature: Decodable {
        let name, publicKey, signature: String
        let messages: [String]
        let valid: Bool
    }
    struct Proof: Decodable {
        let name, publicKey, proof, nonce: String
        let revealedMessages: [String]
        let valid: Bool
    }
    struct Pair: Decodable {
        let privateKeyHex, publicKeyHex: String
    }
    let verifySignature: [Signature]
    let verifyProof: [Proof]
    let keypair: [Pair]
}

@Suite(.timeLimit(.minutes(10))) struct MultiMessageTests {
    private let vectors: BBSVectors
    private let cache = BBSGeneratorCache()
    private let messages = (0..<4).map { [UInt8]("message \($0)".utf8) }

    init() throws { vectors = try VectorFile.load("bbs.json", as: BBSVectors.self) }

    private func key(_ versions: KeyMaterial...) throws -> WorkingKey {
        try WorkingKey(versions: versions, primary: versions.count - 1)
    }

    private func fresh() throws -> WorkingKey { try key(KeyMaterial.generate(.bls12381G2)) }

    @Test func keyPairsAreThoseOfTheVectors() throws {
        #expect(vectors.keypair.count == 2)
        for pair in vectors.keypair {
            let material = try KeyMaterial(
                type: .bls12381G2, prefixID: nil, secret: secret(hex(pair.privateKeyHex)))
            #expect(material.publicKey == hex(pair.publicKeyHex))
        }
    }

    /// Working keys hold the secret too, so of the vectors those count whose secret is known.
    @Test func signaturesAndProofsOfTheKnownKeyPass() throws {
        let pair = try #require(vectors.keypair.first)
        let key = try key(
            KeyMaterial(type: .bls12381G2, prefixID: nil, secret: secret(hex(pair.privateKeyHex))))
        let publicKey = try #require(key.primary.publicKey)
        var checked = 0
        for vector in vectors.verifySignature where try VectorFile.base64(vector.publicKey) == publicKey {
            let messages = try vector.messages.map { try VectorFile.base64($0) }
            let outcome = code {
                try key.verifyMulti(VectorFile.base64(vector.signature), messages: messages, generators: cache)
            }
            #expect(outcome == (vector.valid ? nil : .verificationFailed), "\(vector.name)")
            checked += 1
        }
        for vector in vectors.verifyProof where try VectorFile.base64(vector.publicKey) == publicKey {
            let messages = try vector.revealedMessages.map { try VectorFile.base64($0) }
            let outcome = code {
                try key.verifyProof(
                    VectorFile.base64(vector.proof), messages: messages, nonce: VectorFile.base64(vector.nonce),
                    generators: cache)
            }
            #expect(outcome == (vector.valid ? nil : .verificationFailed), "\(vector.name)")
            checked += 1
        }
        #expect(checked == 3)
    }

    @Test func aProofNeedsANonce() throws {
        let key = try fresh()
        let signature = try key.signMulti(messages, generators: cache)
        do {
            _ = try key.deriveProof(signature, messages: messages, revealed: [0], nonce: [], generators: cache)
            Issue.record("a proof without a nonce was made")
        } catch {
            #expect(error.code == .invalidArgument && error.message.contains("'nonce' is missing or empty"))
        }
    }

    /// "msg 2" is one of the messages that earlier releases hashed to a wrong scalar.
    @Test func aSignatureOverAWronglyHashedMessageIsRefusedWithThatReason() throws {
        let older = try KeyMaterial.generate(.bls12381G2)
        guard case .multiMessage(let signer) = older.secret else { return #expect(Bool(false)) }
        let key = try key(older, KeyMaterial.generate(.bls12381G2))
        let affected = ["msg 0", "msg 2"].map { Array($0.utf8) }
        let generators = try BBSGenerators(publicKey: signer.point, messageCount: 2)
        let (e, s) = (BBSPlus.Scalar(71), BBSPlus.Scalar(73))
        let point = BBSPlus.commitment(
            affected.map(BBSPlus.EarlierHashing.scalar), blinding: s, generators: generators)
        let a = signer.secret.withUnsafeBytes {
            BBSPlus.signaturePoint(BLS12381.G1Point(point), e: e, checkedKey: $0)
        }
        let signature = BBSSignature(a: a, e: e, s: s).encoded
        func reason(_ body: () throws(WorkingKeyError) -> Void) -> String? {
            do throws(WorkingKeyError) { try body() } catch {
                return error.code == .verificationFailed ? error.message : "another error"
            }
            return nil
        }
        let verified = reason { () throws(WorkingKeyError) in
            try key.verifyMulti(signature, messages: affected, generators: cache)
        }
        let derived = reason { () throws(WorkingKeyError) in
            _ = try key.deriveProof(signature, messages: affected, revealed: [0], nonce: [1], generators: cache)
        }
        #expect(verified?.contains("An earlier release of this daemon made it with a wrong hash") == true)
        #expect(derived == verified)
        let others = reason { () throws(WorkingKeyError) in
            try key.verifyMulti(signature, messages: [affected[1], affected[0]], generators: cache)
        }
        #expect(others == "The signature does not verify.")
        try key.verifyMulti(
            try key.signMulti(affected, generators: cache), messages: affected, generators: cache)
    }

    @Test func everySubsetOfTheMessagesCanBeShown() throws {
        let key = try fresh()
        let signature = try key.signMulti(messages, generators: cache)
        #expect(signature.count == 112)
        try key.verifyMulti(signature, messages: messages, generators: cache)
        for subset in 1..<16 {
            let revealed = (0..<4).filter { subset >> $0 & 1 == 1 }
            let proof = try key.deriveProof(
                signature, messages: messages, revealed: revealed.reversed(), nonce: [7], generators: cache)
            let shown = revealed.map { messages[$0] }
            try key.verifyProof(proof, messages: shown, nonce: [7], generators: cache)
            var wrong = shown
            wrong[0].append(0)
            for (shown, nonce) in [(wrong, [UInt8(7)]), (shown, [8])] {
                let outcome = code { try key.verifyProof(proof, messages: shown, nonce: nonce, generators: cache) }
                #expect(outcome == .verificationFailed)
            }
            let extra = code {
                try key.verifyProof(proof, messages: shown + [[1]], nonce: [7], generators: cache)
            }
            #expect(extra == .invalidArgument)
        }
    }

    @Test func olderVersionsStillVerifyAndProve() throws {
        let old = try KeyMaterial.generate(.bls12381G2)
        let signature = try key(old).signMulti(messages, generators: cache)
        let rotated = try key(old, KeyMaterial.generate(.bls12381G2))
        try rotated.verifyMulti(signature, messages: messages, generators: cache)
        let proof = try rotated.deriveProof(
            signature, messages: messages, revealed: [2], nonce: [9], generators: cache)
        try rotated.verifyProof(proof, messages: [messages[2]], nonce: [9], generators: cache)
        let other = try fresh()
        #expect(
            code { try other.verifyMulti(signature, messages: messages, generators: cache) } == .verificationFailed)
        #expect(
            code { try other.verifyProof(proof, messages: [messages[2]], nonce: [9], generators: cache) }
                == .verificationFailed)
        #expect(
            code {
                _ = try other.deriveProof(
                    signature, messages: messages, revealed: [2], nonce: [9], generators: cache)
            } == .verificationFailed)
    }

    @Test func numbersOutOfBoundsAreRefusedBeforeAnythingIsComputed() throws {
        let key = try fresh()
        let many = [[UInt8]](repeating: [], count: WorkingKey.maximumMessages + 1)
        for messages in [[], many] {
            #expect(code { _ = try key.signMulti(messages, generators: cache) } == .invalidArgument)
            #expect(code { try key.verifyMulti([], messages: messages, generators: cache) } == .invalidArgument)
            #expect(
                code {
                    _ = try key.deriveProof([], messages: messages, revealed: [0], nonce: [9], generators: cache)
                } == .invalidArgument)
        }
        let proof = [UInt8](repeating: 0xFF, count: 9000)
        #expect(code { try key.verifyProof(proof, messages: [], nonce: [], generators: cache) } == .invalidArgument)
        for revealed in [[], [4], [-1], [Int.max], [Int.min], [1, 1], [0, 1, 2, 3, 0]] {
            let outcome = code {
                _ = try key.deriveProof(
                    [UInt8](repeating: 0, count: 112), messages: messages, revealed: revealed, nonce: [9],
                    generators: cache)
            }
            #expect(outcome == .invalidArgument, "\(revealed)")
        }
        #expect(cache.count == 0)
    }

    @Test func malformedSignaturesAndProofsDoNotVerify() throws {
        let key = try fresh()
        let signature = try key.signMulti(messages, generators: cache)
        let proof = try key.deriveProof(
            signature, messages: messages, revealed: [0, 3], nonce: [9], generators: cache)
        var mutator = Mutator(seed: 0x5EED)
        for _ in 0..<300 {
            let wrong = mutator.mutate(signature)
            guard wrong != signature else { continue }
            #expect(code { try key.verifyMulti(wrong, messages: messages, generators: cache) } == .verificationFailed)
        }
        for _ in 0..<300 {
            let wrong = mutator.mutate(proof)
            guard wrong != proof else { continue }
            let outcome = code {
                try key.verifyProof(wrong, messages: [messages[0], messages[3]], nonce: [9], generators: cache)
            }
            #expect(outcome == .verificationFailed || outcome == .invalidArgument)
        }
    }

    @Test func theCacheOfGeneratorsStaysInItsBounds() throws {
        let small = BBSGeneratorCache(maximumEntries: 3, maximumPoints: 12)
        let key = try fresh()
        for count in [1, 2, 3, 4, 1, 2, 10, 20] {
            let messages = [[UInt8]](repeating: [1], count: count)
            let signature = try key.signMulti(messages, generators: small)
            try key.verifyMulti(signature, messages: messages, generators: small)
            #expect((1...3).contains(small.count))
        }
        #expect(small.count == 1)
    }
}
