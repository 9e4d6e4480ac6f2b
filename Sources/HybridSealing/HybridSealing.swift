import LibCrypto
public import SecretMemory

/// Seals secrets to a public key whose private halves are a token's agreement key and an ML-KEM seed: both must be broken to
/// open what was sealed.
///
/// HPKE in base mode (RFC 9180) with a hybrid KEM, HKDF-SHA256 and AES-256-GCM; `docs/FORMATS.md` has the bytes. The sealing
/// side needs no token, so a slot can be filled while the token that opens it lies in a safe.
///
/// - Concurrency: pure functions; any thread.
public enum HybridSealing {
    /// Seals a secret.
    ///
    /// - Parameters:
    ///   - info: What it is for; authenticated, not stored.
    /// - Returns: ML-KEM ciphertext ‖ ephemeral point ‖ ciphertext ‖ tag, `secret.count + suite.overhead` bytes.
    public static func seal(
        _ secret: borrowing SecretBytes, to recipient: HybridRecipient, info: [UInt8]
    ) throws(HybridSealingError) -> [UInt8] {
        let suite = recipient.suite
        let (postQuantum, ciphertext) = try MLKEM.encapsulate(to: recipient)
        do {
            let ephemeral = try AgreementKey.generate(suite.curve)
            let agreed = try ephemeral.agree(with: recipient.point)
            let shared = try postQuantum.withSecret { postQuantum in
                try combine(suite, postQuantum, agreed, ephemeral.publicKey, recipient.point)
            }
            let keys = try HPKEKeys(suite, sharedSecret: shared, info: info)
            // The key is used once, so its fixed nonce is right.
            return ciphertext + ephemeral.publicKey
                + (try AEAD.sealSecret(
                    secret, key: keys.key, nonce: keys.nonce, associatedData: [], algorithm: .aes256GCM))
        } catch {
            throw HybridSealingError(.internalFailure, "Could not seal: \(error)")
        }
    }

    /// The ephemeral point that the token is to agree with.
    ///
    /// - Throws: `.doesNotOpen` for a wrong length or what is not a point: nothing else is ever given to the token.
    public static func point(of sealed: [UInt8], _ suite: HybridSuite) throws(HybridSealingError) -> [UInt8] {
        guard sealed.count >= suite.overhead else { throw .doesNotOpen }
        let point = Array(sealed[suite.ciphertextLength..<suite.encapsulationLength])
        do throws(LibCryptoError) {
            try AgreementKey.check(point, on: suite.curve)
        } catch {
            throw .doesNotOpen
        }
        return point
    }

    /// Opens what ``seal(_:to:info:)`` made.
    ///
    /// - Parameters:
    ///   - seed: Of ML-KEM, ``HybridSuite/seedLength`` bytes.
    ///   - agreed: What the token made of ``point(of:_:)``: the x-coordinate, ``HybridSuite/fieldLength`` bytes.
    /// - Throws: `.doesNotOpen` for everything that is not what was sealed to this key for this purpose.
    public static func open(
        _ sealed: [UInt8], as recipient: HybridRecipient, seed: borrowing SecretBytes, agreed: borrowing SecretBytes,
        info: [UInt8]
    ) throws(HybridSealingError) -> SecretBytes {
        let suite = recipient.suite
        let point = try point(of: sealed, suite)
        guard agreed.count == suite.fieldLength else {
            throw HybridSealingError(.internalFailure, "A token agreed on \(agreed.count) bytes.")
        }
        let postQuantum = try MLKEM.decapsulate(suite, seed: seed, Array(sealed[..<suite.ciphertextLength]))
        do {
            let shared = try combine(suite, postQuantum, agreed, point, recipient.point)
            let keys = try HPKEKeys(suite, sharedSecret: shared, info: info)
            return try AEAD.openSecret(
                Array(sealed[suite.encapsulationLength...]), key: keys.key, nonce: keys.nonce, associatedData: [],
                algorithm: .aes256GCM)
        } catch let error as LibCryptoError where error.code == .authenticationFailed {
            throw .doesNotOpen
        } catch {
            throw HybridSealingError(.internalFailure, "Could not open: \(error)")
        }
    }

    /// The combiner of the hybrid KEMs: SHA3-256 of both secrets, both points and the suite's name. The ML-KEM ciphertext is
    /// not in it, since ML-KEM binds it; the classical half does not, so its points are.
    ///
    /// - Source: draft-irtf-cfrg-concrete-hybrid-kems.
    static func combine(
        _ suite: HybridSuite, _ postQuantum: borrowing SecretBytes, _ agreed: borrowing SecretBytes,
        _ ephemeral: [UInt8], _ recipient: [UInt8]
    ) throws -> SecretBytes {
        let input = try SecretBytes.make(count: postQuantum.count + agreed.count) { buffer in
            postQuantum.withUnsafeBytes { buffer.copyMemory(from: $0) }
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[postQuantum.count...])
            agreed.withUnsafeBytes { rest.copyMemory(from: $0) }
        }
        return try Digest.sha3of256(
            secret: try SecretBytes.joining([], input, ephemeral + recipient + suite.label))
    }
}
