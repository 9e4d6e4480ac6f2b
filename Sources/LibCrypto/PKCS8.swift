public import SecretMemory

/// Private keys as files and the import route carry them: OneAsymmetricKey, DER (RFC 5958), holding an Ed25519 key
/// (RFC 8410) or an EC key on a named curve (RFC 5915).
extension SigningKey {
    /// Reads a key and tells its curve by ``curve``.
    ///
    /// It is stricter than most readers: DER only, nothing behind the end, named curves only, and every public part must be
    /// the one that belongs to the private part, as an uncompressed, compressed or hybrid point. Attributes are skipped.
    /// Whatever else is legal elsewhere is refused by its name: BER, PEM, encrypted keys, SEC 1 keys without their envelope,
    /// explicit curve parameters.
    ///
    /// - Throws: `.invalidInput` naming what was found instead; `.capacityExceeded` when the locked memory for keys is full.
    /// - Concurrency: any thread; the private bytes are copied between locked memory only.
    public static func importing(pkcs8: borrowing SecretBytes) throws(LibCryptoError) -> SigningKey {
        try pkcs8.withUnsafeBytes { bytes throws(LibCryptoError) in
            let parts = try PrivateKeyParts(pkcs8: bytes)
            let length = parts.curve.privateKeyLength
            let privateKey = try SecretBytes.filled(length) { output throws(LibCryptoError) in
                // Some writers drop leading zeros of a scalar; RFC 5915 pads them.
                UnsafeMutableRawBufferPointer(rebasing: output[(length - parts.privateKey.count)...])
                    .copyMemory(from: parts.privateKey)
            }
            let key = try SigningKey(curve: parts.curve, privateKey: privateKey)
            for publicKey in parts.publicKeys where !PrivateKeyParts.denotes(publicKey, key.publicKey) {
                throw LibCryptoError(
                    .invalidInput, "The public part of the PKCS#8 key does not belong to its private part.")
            }
            return key
        }
    }
}
