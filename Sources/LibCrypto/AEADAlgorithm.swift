/// Authenticated ciphers.
public enum AEADAlgorithm: Sendable, CaseIterable {
    /// NIST SP 800-38D, 96-bit nonce, 128-bit tag. Random nonces: at most 2^32 messages under one key (§8.3).
    case aes128GCM
    /// Like ``aes128GCM`` with a 256-bit key; the same bound holds.
    case aes256GCM
    /// RFC 8439. The nonce is as short as GCM's, so the same bound on random nonces applies.
    case chaCha20Poly1305
    /// draft-irtf-cfrg-xchacha; a 192-bit nonce, so random nonces have no practical bound.
    case xChaCha20Poly1305

    /// Bytes.
    public var keyLength: Int { self == .aes128GCM ? 16 : 32 }
    /// Bytes.
    public var nonceLength: Int { self == .xChaCha20Poly1305 ? 24 : 12 }
    /// Bytes.
    public var tagLength: Int { 16 }
}
