import LibCrypto
import SecretMemory

/// An opened key: all its versions, ready for use.
///
/// The primary version makes signatures, ciphertexts and MACs; every version verifies and decrypts, so that what was made
/// before a rotation stays good.
///
/// - Concurrency: any thread, several at once; nothing in it changes, so no operation takes a lock. The secrets are wiped
///   with the last reference.
public final class WorkingKey: Sendable {
    public let type: KeyType
    /// The primary first.
    let versions: [KeyMaterial]
    private let verifier: SignatureVerifier?

    /// Takes the versions of one key.
    ///
    /// - Parameters:
    ///   - versions: One or more, all of one type.
    ///   - primary: Index of the version that makes new outputs.
    /// - Throws: `.invalidArgument` for no version, mixed types or an index out of range.
    public init(versions: [KeyMaterial], primary: Int) throws(WorkingKeyError) {
        guard versions.indices.contains(primary) else {
            throw WorkingKeyError(.invalidArgument, "The key has no version \(primary) to be its primary.")
        }
        let type = versions[primary].type
        guard versions.allSatisfy({ $0.type == type }) else {
            throw WorkingKeyError(.invalidArgument, "The versions of a key must all be of type \(type.rawValue).")
        }
        self.type = type
        var ordered = versions
        ordered.swapAt(0, primary)
        self.versions = ordered
        let keys = ordered.compactMap { version in
            if case .signing(let key) = version.secret { (key.verificationKey, version.prefixID) } else { nil }
        }
        verifier = keys.isEmpty ? nil : SignatureVerifier(type: type, keys: keys)
    }

    /// The version that makes new outputs.
    public var primary: KeyMaterial { versions[0] }

    /// Signs with the primary version.
    ///
    /// - Returns: The type's form: 64 bytes (Ed25519), DER, or r ‖ s; secp256k1 behind its 5-byte prefix and with a low s.
    /// - Throws: `.unsupportedOperation`, `.internalFailure`.
    public func sign(_ message: [UInt8]) throws(WorkingKeyError) -> [UInt8] {
        guard case .signing(let key) = primary.secret else { throw .unsupported(.sign, type) }
        let signature = try WorkingKeyError.translating { () throws(LibCryptoError) in
            try key.sign(message, encoding: type.signatureEncoding ?? .p1363)
        }
        return primary.prefixID.map { OutputPrefix.bytes($0) + signature } ?? signature
    }

    /// Passes if any version made the signature; see ``SignatureVerifier/verify(signature:message:)``.
    ///
    /// - Throws: `.verificationFailed`, `.unsupportedOperation`.
    public func verify(signature: [UInt8], message: [UInt8]) throws(WorkingKeyError) {
        guard let verifier else { throw .unsupported(.verify, type) }
        try verifier.verify(signature: signature, message: message)
    }

    /// Encrypts with the primary version under a random nonce.
    ///
    /// With a 12-byte nonce one version should not encrypt more than 2^32 messages (NIST SP 800-38D §8.3); rotate before.
    ///
    /// - Returns: ciphertext ‖ 16-byte tag, and the nonce (12 bytes, 24 for XChaCha20-Poly1305).
    /// - Throws: `.unsupportedOperation`, `.invalidArgument` for a message over a gibibyte.
    public func encrypt(
        _ message: [UInt8], associatedData: [UInt8]
    ) throws(WorkingKeyError) -> (ciphertext: [UInt8], nonce: [UInt8]) {
        guard let algorithm = type.aead, case .symmetric(let key) = primary.secret else {
            throw .unsupported(.encrypt, type)
        }
        return try WorkingKeyError.translating { () throws(LibCryptoError) in
            let nonce = try Random.bytes(algorithm.nonceLength)
            let ciphertext = try key.withSecret { key throws(LibCryptoError) in
                try AEAD.seal(message, key: key, nonce: nonce, associatedData: associatedData, algorithm: algorithm)
            }
            return (ciphertext, nonce)
        }
    }

    /// Decrypts with whichever version fits.
    ///
    /// - Throws: `.decryptionFailed` whatever the reason, a nonce of a wrong length included; `.unsupportedOperation`.
    public func decrypt(
        ciphertext: [UInt8], nonce: [UInt8], associatedData: [UInt8]
    ) throws(WorkingKeyError) -> [UInt8] {
        guard let algorithm = type.aead else { throw .unsupported(.decrypt, type) }
        for version in versions {
            guard case .symmetric(let key) = version.secret else { continue }
            do throws(LibCryptoError) {
                return try key.withSecret { key throws(LibCryptoError) in
                    try AEAD.open(
                        ciphertext, key: key, nonce: nonce, associatedData: associatedData, algorithm: algorithm)
                }
            } catch  where error.code == .authenticationFailed || error.code == .invalidInput {
                continue
            } catch {
                throw WorkingKeyError(error)
            }
        }
        throw .decryptionFailed
    }

    /// Computes a MAC with the primary version.
    ///
    /// - Returns: The version's 5-byte prefix, if it has one, and 32 bytes of HMAC-SHA-256.
    /// - Throws: `.unsupportedOperation`, `.internalFailure`.
    public func mac(_ data: [UInt8]) throws(WorkingKeyError) -> [UInt8] {
        guard type == .hmacSHA256Tag256, case .symmetric(let key) = primary.secret else {
            throw .unsupported(.computeMAC, type)
        }
        let tag = try Self.tag(key, data)
        return primary.prefixID.map { OutputPrefix.bytes($0) + tag } ?? tag
    }

    /// Passes if any version computed the MAC: first those whose prefix it carries, then those without prefix.
    ///
    /// - Throws: `.verificationFailed`, `.unsupportedOperation`.
    public func verifyMAC(_ mac: [UInt8], data: [UInt8]) throws(WorkingKeyError) {
        guard type == .hmacSHA256Tag256 else { throw .unsupported(.verifyMAC, type) }
        let prefixed = OutputPrefix.split(mac)
        for version in versions {
            guard case .symmetric(let key) = version.secret else { continue }
            if let id = version.prefixID {
                guard let prefixed, prefixed.id == id else { continue }
                if ConstantTime.equal(try Self.tag(key, data), prefixed.body) { return }
            } else if ConstantTime.equal(try Self.tag(key, data), mac) {
                return
            }
        }
        throw .macFailed
    }

    private static func tag(_ key: SharedSecret, _ data: [UInt8]) throws(WorkingKeyError) -> [UInt8] {
        try WorkingKeyError.translating { () throws(LibCryptoError) in
            try key.withSecret { key throws(LibCryptoError) in try HMAC.sha256(key: key, data) }
        }
    }
}
