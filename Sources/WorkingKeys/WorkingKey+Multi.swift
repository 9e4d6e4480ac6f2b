import Pairing
import SecretMemory

/// BBS+ signatures over lists of messages (keystore API section 8).
///
/// Each call takes from 0.3 ms to about 0.3 s, by the number of messages: never on an event loop.
extension WorkingKey {
    /// Most messages of one signature. The format allows 65,535; each costs about 0.25 ms in a proof.
    public static let maximumMessages = 1_000

    /// Signs a list of messages with the primary version.
    ///
    /// - Parameter messages: 1 to ``maximumMessages``, each of any length.
    /// - Returns: 112 bytes.
    /// - Throws: `.invalidArgument` for a number of messages out of bounds; `.unsupportedOperation`, `.internalFailure`.
    public func signMulti(
        _ messages: [[UInt8]], generators cache: BBSGeneratorCache
    ) throws(WorkingKeyError) -> [UInt8] {
        guard case .multiMessage(let key) = primary.secret else { throw .unsupported(.signMulti, type) }
        try Self.check(messageCount: messages.count)
        do {
            let generators = try cache.generators(key, messageCount: messages.count)
            return try key.secret.withUnsafeBytes { secret in
                try BBSPlus.sign(messages, secretKey: secret, generators: generators) { try KernelRandom.fill($0) }
            }.encoded
        } catch {
            throw WorkingKeyError(.internalFailure, "Could not sign: \(error).")
        }
    }

    /// Passes if any version made the signature.
    ///
    /// - Throws: `.verificationFailed` for every signature that does not pass, malformed ones included;
    ///   `.invalidArgument` for a number of messages out of bounds; `.unsupportedOperation`.
    public func verifyMulti(
        _ signature: [UInt8], messages: [[UInt8]], generators cache: BBSGeneratorCache
    ) throws(WorkingKeyError) {
        let keys = try multiMessageKeys(.verifyMulti)
        try Self.check(messageCount: messages.count)
        guard let signature = try? BBSSignature(encoded: signature) else { throw .verificationFailed }
        for key in keys {
            let generators = try Self.generators(cache, key, messages.count)
            if BBSPlus.verify(signature, messages: messages, generators: generators) { return }
        }
        throw try Self.refusal(of: signature, messages, keys, cache)
    }

    /// Proves knowledge of a signature of any version, showing only some of its messages.
    ///
    /// - Parameters:
    ///   - messages: All of them, in the order they were signed in.
    ///   - revealed: Indexes from 0 of the messages shown, at least one, in any order.
    ///   - nonce: The verifier's, of any length but 0.
    /// - Returns: 383 bytes and more; see `BBSProof`.
    /// - Throws: `.verificationFailed` if no version made the signature; `.invalidArgument` for a number of messages out
    ///   of bounds, an empty nonce, and indexes that are missing, repeated or name no message; `.unsupportedOperation`.
    public func deriveProof(
        _ signature: [UInt8], messages: [[UInt8]], revealed: [Int], nonce: [UInt8], generators cache: BBSGeneratorCache
    ) throws(WorkingKeyError) -> [UInt8] {
        let keys = try multiMessageKeys(.deriveProof)
        try Self.check(messageCount: messages.count)
        try Self.check(revealed, messageCount: messages.count)
        guard !nonce.isEmpty else {
            throw WorkingKeyError(
                .invalidArgument,
                "'nonce' is missing or empty: a proof without the verifier's nonce could be shown again by whoever sees it."
            )
        }
        guard let signature = try? BBSSignature(encoded: signature) else { throw .verificationFailed }
        for key in keys {
            let generators = try Self.generators(cache, key, messages.count)
            do {
                return try BBSPlus.deriveProof(
                    signature, messages: messages, revealed: revealed, nonce: nonce, generators: generators
                ) { try KernelRandom.fill($0) }.encoded
            } catch PairingError.verificationFailed {
                continue
            } catch {
                throw WorkingKeyError(.internalFailure, "Could not derive a proof: \(error).")
            }
        }
        throw try Self.refusal(of: signature, messages, keys, cache)
    }

    /// Passes if the proof is of a signature that any version made.
    ///
    /// - Parameter messages: The revealed ones, in the order of their indexes, and no other.
    /// - Throws: `.verificationFailed` for every proof that does not pass, malformed ones included; `.invalidArgument`
    ///   for another number of messages than the proof reveals, or a proof over too many; `.unsupportedOperation`.
    public func verifyProof(
        _ proof: [UInt8], messages: [[UInt8]], nonce: [UInt8], generators cache: BBSGeneratorCache
    ) throws(WorkingKeyError) {
        let keys = try multiMessageKeys(.verifyProof)
        // The first two bytes are the number of messages: bounded before anything is computed from them.
        if proof.count >= 2 { try Self.check(messageCount: Int(proof[0]) << 8 | Int(proof[1])) }
        guard let proof = try? BBSProof(encoded: proof) else { throw .proofFailed }
        guard messages.count == proof.revealed.count else {
            throw WorkingKeyError(
                .invalidArgument,
                "The proof reveals \(proof.revealed.count) messages, but \(messages.count) are given.")
        }
        for key in keys {
            let generators = try Self.generators(cache, key, proof.messageCount)
            let holds = try? BBSPlus.verifyProof(
                proof, revealedMessages: messages, nonce: nonce, generators: generators)
            if holds == true { return }
        }
        throw .proofFailed
    }

    /// Says so where the signature is one that an earlier release made over a message it hashed wrongly.
    private static func refusal(
        of signature: BBSSignature, _ messages: [[UInt8]], _ keys: [BBSKey], _ cache: BBSGeneratorCache
    ) throws(WorkingKeyError) -> WorkingKeyError {
        for key in keys {
            let generators = try generators(cache, key, messages.count)
            if BBSPlus.verifiesByEarlierHashing(signature, messages: messages, generators: generators) {
                return WorkingKeyError(
                    .verificationFailed,
                    "The signature does not verify. An earlier release of this daemon made it with a wrong hash of one of "
                        + "the messages, so that no implementation accepts it: sign the messages again.")
            }
        }
        return .verificationFailed
    }

    // MARK: Checks

    private func multiMessageKeys(_ operation: KeyOperation) throws(WorkingKeyError) -> [BBSKey] {
        guard type == .bls12381G2 else { throw .unsupported(operation, type) }
        return versions.compactMap { if case .multiMessage(let key) = $0.secret { key } else { nil } }
    }

    private static func check(messageCount: Int) throws(WorkingKeyError) {
        guard (1...maximumMessages).contains(messageCount) else {
            throw WorkingKeyError(
                .invalidArgument, "A signature covers 1 to \(maximumMessages) messages, not \(messageCount).")
        }
    }

    private static func check(_ revealed: [Int], messageCount: Int) throws(WorkingKeyError) {
        guard !revealed.isEmpty else {
            throw WorkingKeyError(.invalidArgument, "'revealed_indexes' must name at least one message.")
        }
        var seen: Set<Int> = []
        for index in revealed {
            guard (0..<messageCount).contains(index) else {
                throw WorkingKeyError(
                    .invalidArgument,
                    "'revealed_indexes' has \(index), but the messages are numbered 0 to \(messageCount - 1).")
            }
            guard seen.insert(index).inserted else {
                throw WorkingKeyError(.invalidArgument, "'revealed_indexes' has \(index) twice.")
            }
        }
    }

    private static func generators(
        _ cache: BBSGeneratorCache, _ key: BBSKey, _ messageCount: Int
    ) throws(WorkingKeyError) -> BBSGenerators {
        do throws(PairingError) {
            return try cache.generators(key, messageCount: messageCount)
        } catch {
            throw WorkingKeyError(.internalFailure, "Could not make generators: \(error).")
        }
    }
}
