import LibCrypto

/// Verifies signatures of a key whose versions are all of one type, wherever the private halves live.
///
/// - Concurrency: any thread; nothing in it changes.
public struct SignatureVerifier: Sendable {
    public let type: KeyType
    private let encoding: ECDSASignature.Encoding
    private let versions: [(key: VerificationKey, prefixID: UInt32?)]

    /// - Parameter versions: Raw public keys (32 bytes for Ed25519, else 0x04 ‖ X ‖ Y) with their prefix ids, the primary
    ///   first, since it is tried first.
    /// - Throws: `.invalidArgument` for a public key that is not on the type's curve; `.unsupportedOperation` for a type
    ///   that does not sign.
    public init(
        type: KeyType, versions: [(publicKey: [UInt8], prefixID: UInt32?)]
    ) throws(WorkingKeyError) {
        guard let curve = type.signingCurve else { throw .unsupported(.verify, type) }
        var keys: [(key: VerificationKey, prefixID: UInt32?)] = []
        for version in versions {
            let key = try WorkingKeyError.translating { () throws(LibCryptoError) in
                try VerificationKey(curve: curve, publicKey: version.publicKey)
            }
            keys.append((key, version.prefixID))
        }
        self.init(type: type, keys: keys)
    }

    init(type: KeyType, keys: [(key: VerificationKey, prefixID: UInt32?)]) {
        self.type = type
        encoding = type.signatureEncoding ?? .p1363
        versions = keys
    }

    /// Passes if any version made the signature: first those whose prefix it carries, then the signature as it is.
    ///
    /// A secp256k1 signature passes with its prefix (69 bytes) and without (64 bytes), since other ES256K software writes
    /// the latter.
    ///
    /// - Throws: `.verificationFailed` for every signature that does not pass, malformed ones included.
    public func verify(signature: [UInt8], message: [UInt8]) throws(WorkingKeyError) {
        let matches = try WorkingKeyError.translating { () throws(LibCryptoError) in
            if let (id, body) = OutputPrefix.split(signature) {
                for version in versions where version.prefixID == id {
                    if try version.key.verify(body, message: message, encoding: encoding) { return true }
                }
            }
            for version in versions {
                if try version.key.verify(signature, message: message, encoding: encoding) { return true }
            }
            return false
        }
        guard matches else { throw .verificationFailed }
    }
}
