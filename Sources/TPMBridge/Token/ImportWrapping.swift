import CTSS2
import LibCrypto
import SecretMemory
import Token

/// A key pair made outside, wrapped for one TPM2_Import, in locked memory throughout.
///
///     sensitive = TPM2B_SENSITIVE: ECC ‖ authorization value ‖ no seed ‖ scalar
///     wrapped   = AES-128-CFB(key, 0, TPM2B_DIGEST(SHA-256(sensitive ‖ name)) ‖ sensitive)
///
/// The wrapping key is drawn for this import and crosses as the encrypted parameter of the salted session, so whoever
/// listens on the bus learns neither. No outer wrapping: it would add nothing to that.
///
/// - Source: TPM 2.0 Library part 1, section 23.3.2.3 (inner duplication wrapper); part 2, section 12.3.2.
struct ImportWrapping {
    let wrapped: [UInt8]
    let key: SharedSecret

    /// - Parameter scalar: big-endian.
    init(
        scalar: SharedSecret, authorization: SharedSecret, publicArea: TPM2B_PUBLIC
    ) throws(HSMError) {
        let name = try TPMContext.name(of: publicArea)
        do {
            let sensitive = SharedSecret(try Self.sensitive(scalar, authorization))
            let named = try SecretBytes.make(count: sensitive.count + name.count) { output in
                sensitive.withUnsafeBytes { output.copyMemory(from: $0) }
                for index in name.indices { output[sensitive.count + index] = name[index] }
            }
            let digest = SharedSecret(try Digest.sha256(secret: named))
            let plaintext = try SecretBytes.make(count: 34 + sensitive.count) { output in
                output[1] = 32
                digest.withUnsafeBytes { digest in
                    for index in 0..<32 { output[2 + index] = digest[index] }
                }
                sensitive.withUnsafeBytes { sensitive in
                    for index in 0..<sensitive.count { output[34 + index] = sensitive[index] }
                }
            }
            let key = try SecretBytes.random(count: 16)
            wrapped = try AESCFB.encrypt(plaintext, key: key)
            self.key = SharedSecret(key)
        } catch {
            throw HSMError(.overloaded, "A scalar could not be wrapped for the TPM: \(error).")
        }
    }

    /// Fresh memory is zero, which writes the high bytes of lengths and the empty seed.
    private static func sensitive(_ scalar: SharedSecret, _ authorization: SharedSecret) throws -> SecretBytes {
        let body = 2 + 2 + authorization.count + 2 + 2 + scalar.count
        return try SecretBytes.make(count: 2 + body) { output in
            output[1] = UInt8(body)
            output[3] = UInt8(TPM2_ALG_ECC)
            output[5] = UInt8(authorization.count)
            authorization.withUnsafeBytes { bytes in
                for index in 0..<bytes.count { output[6 + index] = bytes[index] }
            }
            let end = 6 + authorization.count + 2
            output[end + 1] = UInt8(scalar.count)
            scalar.withUnsafeBytes { bytes in
                for index in 0..<bytes.count { output[end + 2 + index] = bytes[index] }
            }
        }
    }
}
