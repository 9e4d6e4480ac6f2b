public import SecretMemory

extension SigningKey {
    /// Reads an ECPrivateKey, DER (RFC 5915), the content of `EC PRIVATE KEY` files.
    ///
    /// - Parameter curve: What the key must be on; a curve it names itself must be the same.
    /// - Throws: `.invalidInput` for another structure, another curve, or a public part that is not its own.
    public static func importing(
        sec1: borrowing SecretBytes, curve: SigningCurve
    ) throws(LibCryptoError) -> SigningKey {
        try sec1.withUnsafeBytes { bytes throws(LibCryptoError) in
            guard curve.group != nil else { throw LibCryptoError(.invalidInput, "The curve has no SEC 1 form.") }
            let parts = try PrivateKeyParts.ecPrivateKey(bytes, curve, in: "SEC 1")
            let length = curve.privateKeyLength
            let scalar = try SecretBytes.filled(length) { output throws(LibCryptoError) in
                UnsafeMutableRawBufferPointer(rebasing: output[(length - parts.scalar.count)...])
                    .copyMemory(from: parts.scalar)
            }
            let key = try SigningKey(curve: curve, privateKey: scalar)
            if let point = parts.point, !PrivateKeyParts.denotes(point, key.publicKey) {
                throw LibCryptoError(
                    .invalidInput, "The public part of the EC key does not belong to its private part.")
            }
            return key
        }
    }
}
