import LibCrypto
import SecretMemory
import Synchronization
public import Token

/// Signs results with the token's key for them.
public final class ResultSigner: Sendable {
    public struct Key: Sendable, Hashable {
        /// `ES256K` or `ES256`.
        public var algorithm: String
        /// SEC 1, 33 bytes.
        public var compressed: [UInt8]
        /// SHA-256 of the SubjectPublicKeyInfo in hexadecimal.
        public var fingerprint: String
        /// SEC 1, 65 bytes.
        var point: [UInt8]
    }

    private let token: any ResultSigning
    private let known = Mutex<Key?>(nil)

    public init(token: any ResultSigning) { self.token = token }

    /// Asks the token once; the manifest pins the key, so it cannot become another one.
    public func key() async throws(DecryptionError) -> Key {
        if let key = known.withLock({ $0 }) { return key }
        let description: PublicKeyDescription
        do throws(HSMError) { description = try await token.publicKey(of: .result) } catch {
            throw DecryptionKeyVault.translate(error)
        }
        guard description.point.count == 65 else { throw .failed("the token's key for results has no point") }
        let key = Key(
            algorithm: description.curve == "P-256" ? "ES256" : "ES256K",
            compressed: [2 | description.point[64] & 1] + description.point[1...32],
            fingerprint: description.fingerprint, point: description.point)
        known.withLock { $0 = key }
        return key
    }

    /// Whether a result was signed by the token's key as it is now.
    ///
    /// - Parameter signature: r ‖ s, 64 bytes.
    func hasSigned(_ message: ResultMessage, _ signature: [UInt8]) async throws(DecryptionError) -> Bool {
        let key = try await key()
        do throws(LibCryptoError) {
            // exact: a name of ours, in ASCII.
            return try VerificationKey(curve: key.algorithm == "ES256" ? .p256 : .secp256k1, publicKey: key.point)
                .verify(signature, message: message.encoded, encoding: .p1363)
        } catch { throw .failed("the library for signatures failed") }
    }

    /// The key, if it is of the curve that generations GA and GB know.
    func legacyKey() async throws(DecryptionError) -> Key {
        let key = try await key()
        guard key.algorithm == "ES256K" else {  // exact: a name of ours, in ASCII.
            throw DecryptionError(
                .precondition, "result-key-curve",
                "this token's key for results is on P-256, and generations GA and GB know secp256k1 only; use "
                    + "kmsd.decryption.v1.Decryption")
        }
        return key
    }

    /// r ‖ s, 64 bytes; on secp256k1 with the lower s.
    func sign(_ message: ResultMessage) async throws(DecryptionError) -> [UInt8] {
        do throws(HSMError) { return try await token.sign(message.encoded, with: .result) } catch {
            throw DecryptionKeyVault.translate(error)
        }
    }

    /// The same for a result with a secret in it.
    func sign(_ result: SecretResult) async throws(DecryptionError) -> [UInt8] {
        do throws(HSMError) { return try await token.sign(result) } catch {
            throw DecryptionKeyVault.translate(error)
        }
    }

    /// Signs a form of generations GA and GB.
    func sign(sequence: consuming SecretBytes) async throws(DecryptionError) -> [UInt8] {
        guard let result = SecretResult(sequence: sequence) else { throw .failed("a result has no form") }
        return try await sign(result)
    }
}
