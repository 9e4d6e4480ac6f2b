import LibCrypto

/// What lies between a message and a token that signs digests, for keys that live in the token.
public enum ECDSASignatureEncoding {
    /// The digest that an ECDSA key of this type signs: SHA-256, SHA-384 or SHA-512 of the message.
    ///
    /// - Throws: `.unsupportedOperation` for every other type, Ed25519 included.
    public static func digest(_ message: [UInt8], for type: KeyType) throws(WorkingKeyError) -> [UInt8] {
        guard let curve = type.signingCurve, type.signatureEncoding != nil else {
            throw WorkingKeyError(.unsupportedOperation, "A key of type \(type.rawValue) does not sign digests.")
        }
        return try WorkingKeyError.translating { () throws(LibCryptoError) in try curve.digest(of: message) }
    }

    /// Brings a token's r ‖ s into the form the type promises: DER or fixed width, behind the version's prefix if any.
    ///
    /// An Ed25519 signature (64 bytes) passes unchanged; of one on secp256k1 the lower s is kept, since tokens give out either.
    ///
    /// - Throws: `.internalFailure` if the token's answer has a wrong length or a zero number.
    public static func encode(
        fixedWidth signature: [UInt8], type: KeyType, prefixID: UInt32?
    ) throws(WorkingKeyError) -> [UInt8] {
        guard let curve = type.signingCurve, signature.count == curve.fixedSignatureLength else {
            throw WorkingKeyError(.internalFailure, "The signature to encode has a wrong length.")
        }
        var encoded = ECDSASignature.lowS(signature, curve: curve)
        if type.signatureEncoding == .der {
            guard let der = ECDSASignature.der(fromP1363: encoded, curve: curve) else {
                throw WorkingKeyError(.internalFailure, "The signature to encode has a zero number.")
            }
            encoded = der
        }
        return prefixID.map { OutputPrefix.bytes($0) + encoded } ?? encoded
    }
}
