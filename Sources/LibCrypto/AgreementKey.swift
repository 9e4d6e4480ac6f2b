internal import CLibCrypto
internal import CSodium
public import SecretMemory

/// A private key for Diffie-Hellman key agreement, in locked memory, wiped with the last reference.
///
/// - Concurrency: any thread, several at once; nothing in it changes.
public final class AgreementKey: Sendable {
    public let curve: AgreementCurve
    /// 32 bytes for X25519, else 0x04 ‖ X ‖ Y.
    public let publicKey: [UInt8]

    private let backing: Backing

    private enum Backing: Sendable {
        case weierstrass(PKey)
        /// The scalar as given; it is clamped where it is used (RFC 7748 §5).
        case montgomery(SharedSecret)
    }

    /// Takes a raw private key.
    ///
    /// - Parameter privateKey: Exactly `curve.fieldLength` bytes: a big-endian scalar, or 32 bytes for X25519.
    /// - Throws: `.invalidInput` for a wrong length or a scalar out of range; `.capacityExceeded` when the locked memory
    ///   for keys is full.
    public init(curve: AgreementCurve, privateKey: borrowing SecretBytes) throws(LibCryptoError) {
        try LibCrypto.admitKey()
        guard privateKey.count == curve.fieldLength else {
            throw LibCryptoError(.invalidInput, "A \(curve.rawValue) private key must have \(curve.fieldLength) bytes.")
        }
        self.curve = curve
        if let group = curve.group {
            let scalar = try privateKey.withUnsafeBytes { bytes throws(LibCryptoError) in
                try SecretScalar.reading(bytes, in: group)
            }
            publicKey = try scalar.publicPoint()
            backing = .weierstrass(try PKey.pair(group, scalar, publicPoint: publicKey))
        } else {
            publicKey = try Self.x25519PublicKey(privateKey)
            do throws(SecretMemoryError) {
                backing = .montgomery(SharedSecret(try privateKey.copy()))
            } catch {
                throw LibCryptoError(.capacityExceeded, error.description)
            }
        }
    }

    /// Makes a key from the kernel's generator; scalars by rejection (FIPS 186-5 A.2.2), so without bias.
    public static func generate(_ curve: AgreementCurve) throws(LibCryptoError) -> AgreementKey {
        for _ in 0..<64 {
            let candidate = try SecretBytes.filled(curve.fieldLength) { output throws(LibCryptoError) in
                try Random.fill(output)
                if let group = curve.group { output[0] &= group.topByteMask }
            }
            do throws(LibCryptoError) {
                return try AgreementKey(curve: curve, privateKey: candidate)
            } catch  where error.code == .invalidInput {
                continue
            }
        }
        throw LibCryptoError(.internalFailure, "The kernel's generator gives no usable scalar.")
    }

    /// Refuses what is not a point of the curve, for keys that agree elsewhere.
    ///
    /// - Parameter peer: A raw public key. On X25519 every value of 32 bytes passes (RFC 7748 §5).
    /// - Throws: `.invalidInput`.
    /// - Source: NIST SP 800-56A §5.6.2.3.3.
    public static func check(_ peer: [UInt8], on curve: AgreementCurve) throws(LibCryptoError) {
        guard peer.count == curve.publicKeyLength else {
            throw LibCryptoError(
                .invalidInput, "A \(curve.rawValue) public key must have \(curve.publicKeyLength) bytes.")
        }
        if let group = curve.group { _ = try PKey.publicOnly(group, peer) }
    }

    /// The raw private key in locked memory, `curve.fieldLength` bytes.
    public func privateKey() throws(LibCryptoError) -> SecretBytes {
        try SecretBytes.filled(curve.fieldLength) { output throws(LibCryptoError) in
            switch backing {
            case .weierstrass(let key): try key.copyScalar(into: output)
            case .montgomery(let scalar): scalar.withUnsafeBytes { output.copyMemory(from: $0) }
            }
        }
    }

    /// Computes the secret shared with the owner of a public key.
    ///
    /// - Parameter peer: A raw public key on the same curve, in the form of ``publicKey``.
    /// - Returns: The x-coordinate of the common point, padded to `curve.fieldLength` bytes.
    /// - Throws: `.invalidInput` for a wrong length, a point off the curve, or an X25519 point of small order, which would
    ///   give a secret anyone knows.
    /// - Source: NIST SP 800-56A §5.7.1.2; RFC 7748 §6.1.
    public func agree(with peer: [UInt8]) throws(LibCryptoError) -> SecretBytes {
        guard peer.count == curve.publicKeyLength else {
            throw LibCryptoError(
                .invalidInput, "A \(curve.rawValue) public key must have \(curve.publicKeyLength) bytes.")
        }
        switch backing {
        case .weierstrass(let key):
            guard let group = curve.group else { throw LibCryptoError(.internalFailure, "A curve has no group.") }
            return try Self.derive(key, try PKey.publicOnly(group, peer), count: curve.fieldLength)
        case .montgomery(let scalar):
            return try scalar.withSecret { scalar throws(LibCryptoError) in try Self.x25519(scalar, peer) }
        }
    }

    private static func derive(_ key: PKey, _ peer: PKey, count: Int) throws(LibCryptoError) -> SecretBytes {
        let context = try OpenSSL.check(
            "EVP_PKEY_CTX_new_from_pkey", EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil))
        defer { EVP_PKEY_CTX_free(context) }
        try OpenSSL.check("EVP_PKEY_derive_init", EVP_PKEY_derive_init(context))
        guard OpenSSL.holds(EVP_PKEY_derive_set_peer_ex(context, peer.pointer, 1)) else {
            throw LibCryptoError(.invalidInput, "The public key is not one to agree with.")
        }
        return try SecretBytes.filled(count) { output throws(LibCryptoError) in
            var length = output.count
            try OpenSSL.check("EVP_PKEY_derive", EVP_PKEY_derive(context, output.bytes, &length))
            try OpenSSL.check("EVP_PKEY_derive", length == output.count ? 1 : 0)
        }
    }

    private static func x25519(_ scalar: borrowing SecretBytes, _ peer: [UInt8]) throws(LibCryptoError) -> SecretBytes {
        try scalar.withUnsafeBytes { scalar throws(LibCryptoError) in
            try SecretBytes.filled(32) { output throws(LibCryptoError) in
                // It refuses an all-zero result, which is what every point of small order gives.
                guard let output = output.bytes, let scalar = scalar.bytes, crypto_scalarmult(output, scalar, peer) == 0
                else { throw LibCryptoError(.invalidInput, "The X25519 public key is a point of small order.") }
            }
        }
    }

    private static func x25519PublicKey(_ scalar: borrowing SecretBytes) throws(LibCryptoError) -> [UInt8] {
        try scalar.withUnsafeBytes { scalar throws(LibCryptoError) in
            try [UInt8].filled(32) { output throws(LibCryptoError) in
                guard let output = output.bytes, let scalar = scalar.bytes else { return }
                try Sodium.check("crypto_scalarmult_base", crypto_scalarmult_base(output, scalar), .internalFailure)
            }
        }
    }
}
