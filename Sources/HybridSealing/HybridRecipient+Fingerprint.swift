import LibCrypto

extension HybridRecipient {
    /// SHA-256 of the public key, in hex: what people compare before they seal to it.
    public var fingerprint: String {
        get throws(HybridSealingError) {
            do throws(LibCryptoError) {
                return try Digest.sha256(bytes).map { byte in
                    let digits = String(byte, radix: 16)
                    return digits.utf8.count == 1 ? "0" + digits : digits
                }.joined()
            } catch {
                throw HybridSealingError(.internalFailure, error.message)
            }
        }
    }
}
