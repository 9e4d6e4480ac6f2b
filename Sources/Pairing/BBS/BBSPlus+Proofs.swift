extension BBSPlus {
    /// Proves knowledge of a signature and of the messages that stay hidden.
    ///
    /// The signature and the hidden messages are used in constant time after their hashing.
    ///
    /// - Parameters:
    ///   - revealed: indexes from 0, at least one, in any order, without repetition.
    ///   - nonce: the verifier's, any length.
    /// - Throws: `.invalidCount` for missing, repeated or too large indexes and wrong numbers of messages;
    ///   `.verificationFailed` when the signature does not verify; `.randomnessUnusable`, or what `generator` throws.
    public static func deriveProof(
        _ signature: BBSSignature, messages: [[UInt8]], revealed: [Int], nonce: [UInt8], generators: BBSGenerators,
        from generator: Generator
    ) throws -> BBSProof {
        let count = generators.messageCount
        let shown = Set(revealed)
        guard messages.count == count, !shown.isEmpty, shown.count == revealed.count,
            shown.allSatisfy({ (0..<count).contains($0) })
        else { throw PairingError.invalidCount }
        guard verify(signature, messages: messages, generators: generators) else {
            throw PairingError.verificationFailed
        }
        let hidden = (0..<count).filter { !shown.contains($0) }
        let scalars = messages.map { hashToScalar($0).value }
        let h0 = generators.blinding
        var b = Point.generator + multiply(h0, by: signature.s.value)
        for (base, scalar) in zip(generators.messages, scalars) { b = b + multiply(base, by: scalar) }

        let r1 = try randomScalar(from: generator)
        let r2 = try randomScalar(from: generator)
        let r3 = r1.inverse
        let aPrime = multiply(signature.a.point, by: r1)
        let blindedB = multiply(b, by: r1)
        let aBar = blindedB - multiply(aPrime, by: signature.e.value)
        let d = blindedB - multiply(h0, by: r2)
        let points = [aPrime, aBar, d].map { BLS12381.G1Point(Point($0.affine)) }
        guard !points.contains(where: \.isInfinity) else { throw PairingError.randomnessUnusable }

        let hiddenBases = hidden.map { generators.messages[$0] }
        let first = try BBSCommitment.Prover(
            bases: [points[0].point, h0], secrets: [-signature.e.value, r2], from: generator)
        let second = try BBSCommitment.Prover(
            bases: [points[2].point, h0] + hiddenBases,
            secrets: [-r3, signature.s.value - r2 * r3] + hidden.map { scalars[$0] }, from: generator)
        let challenge = BBSProof.challenge(
            points: points, first: first.commitment, second: second.commitment, hiddenBases: hiddenBases,
            generators: generators, nonce: nonce)
        return BBSProof(
            messageCount: count, revealed: shown.sorted(), points: points, first: first.answer(challenge),
            second: second.answer(challenge))
    }

    /// Checks a proof against the revealed messages, given in the order of their indexes.
    ///
    /// - Parameters:
    ///   - generators: of the signer's public key, for `proof.messageCount` messages.
    ///   - revealedMessages: messages beyond the revealed ones are ignored.
    /// - Throws: `.invalidCount` when a revealed message is missing or the generators are for another count.
    public static func verifyProof(
        _ proof: BBSProof, revealedMessages: [[UInt8]], nonce: [UInt8], generators: BBSGenerators
    ) throws(PairingError) -> Bool {
        guard proof.messageCount == generators.messageCount, revealedMessages.count >= proof.revealed.count else {
            throw .invalidCount
        }
        let shown = Set(proof.revealed)
        let hiddenBases = (0..<proof.messageCount).filter { !shown.contains($0) }.map { generators.messages[$0] }
        let points = [proof.aPrime, proof.aBar, proof.d]
        let challenge = BBSProof.challenge(
            points: points, first: proof.first.commitment, second: proof.second.commitment, hiddenBases: hiddenBases,
            generators: generators, nonce: nonce)
        let h0 = generators.blinding
        guard
            proof.first.holds(
                bases: [proof.aPrime.point, h0], target: proof.aBar.point - proof.d.point, challenge: challenge)
        else { return false }
        let terms = zip(proof.revealed, revealedMessages).map { index, message in
            (generators.messages[index], hashToScalar(message).words)
        }
        let known = Point.generator + Point.sumVariableTime(terms)
        guard
            proof.second.holds(bases: [proof.d.point, h0] + hiddenBases, target: -known, challenge: challenge)
        else { return false }
        return BLS12381.productIsOne([
            (proof.aPrime.point.affineVariableTime, generators.publicKey.prepared),
            (-proof.aBar.point.affineVariableTime, BLS12381.preparedGenerator),
        ])
    }

    /// The prover's arithmetic on two secrets of 48 bytes each, for the constant-time harness: the results are public.
    package static func exerciseProver(
        _ secrets: UnsafeRawBufferPointer
    ) -> (commitment: BLS12381.G1Point, response: Scalar) {
        precondition(secrets.count == 96, "two secrets of 48 bytes")
        let base = secrets.baseAddress.unsafelyUnwrapped
        let secret = BLS12381Fr.loadRaw(bigEndian: base).montgomery
        let blind = BLS12381Fr.loadRaw(bigEndian: base + 48).montgomery
        let prover = BBSCommitment.Prover(
            bases: [.generator, Point.generator.doubled], secrets: [secret, secret.inverse],
            blinds: [blind, -blind * secret])
        let answer = prover.answer(Scalar(3))
        return (answer.commitment, answer.responses[0] + answer.responses[1])
    }
}
