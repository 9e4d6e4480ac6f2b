import LibCrypto
import SecretMemory
import Token

/// Wraps a scalar for one import by the token, under a key agreed with it, in locked memory throughout.
enum AnchorTransport {
    /// - Parameter scalar: 32 bytes, little-endian.
    static func sender(of scalar: SharedSecret) -> AnchorDelivery.Sender {
        { (tokenKey: [UInt8]) throws(HSMError) in
            do throws(LibCryptoError) {
                let own = try AgreementKey.generate(.p256)
                let wrappingKey = try own.agree(with: tokenKey)
                return AnchorDelivery(
                    publicKey: own.publicKey, wrapped: try AESKeyWrap.wrapPadded(encoded(scalar), under: wrappingKey))
            } catch {
                throw HSMError(
                    error.code == .invalidInput ? .deviceFailure : .overloaded,
                    "A scalar could not be wrapped for the token: \(error)")
            }
        }
    }

    /// PKCS #8 of the scalar.
    private static func encoded(_ scalar: SharedSecret) throws(LibCryptoError) -> SecretBytes {
        let prefix = AnchorDelivery.privateKeyPrefix
        do {
            return try SecretBytes.make(count: prefix.count + scalar.count) { output in
                output.copyBytes(from: prefix)
                scalar.withUnsafeBytes { scalar in
                    for index in 0..<scalar.count { output[output.count - 1 - index] = scalar[index] }
                }
            }
        } catch {
            throw LibCryptoError(.internalFailure, "No locked memory for a scalar: \(error)")
        }
    }
}
