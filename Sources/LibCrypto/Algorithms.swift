internal import CLibCrypto

/// OpenSSL algorithm objects fetched once; fetching by name on each call would cost more than a short operation.
enum Algorithms {
    /// A fetched object, or nil if this build of OpenSSL lacks it; the use is then refused at the door.
    struct Fetched: @unchecked Sendable {
        // @unchecked: EVP_CIPHER, EVP_MD, EVP_KDF and EVP_MAC objects are reference-counted and immutable after the
        // fetch, are documented as shareable between threads, and are never freed here.
        let pointer: OpaquePointer?
    }

    static let aes128GCM = Fetched(pointer: EVP_CIPHER_fetch(nil, "AES-128-GCM", nil))
    static let aes256GCM = Fetched(pointer: EVP_CIPHER_fetch(nil, "AES-256-GCM", nil))
    static let aes128CFB = Fetched(pointer: EVP_CIPHER_fetch(nil, "AES-128-CFB", nil))
    static let chaCha20Poly1305 = Fetched(pointer: EVP_CIPHER_fetch(nil, "ChaCha20-Poly1305", nil))

    static let sha256 = Fetched(pointer: EVP_MD_fetch(nil, "SHA2-256", nil))
    static let sha384 = Fetched(pointer: EVP_MD_fetch(nil, "SHA2-384", nil))
    static let sha512 = Fetched(pointer: EVP_MD_fetch(nil, "SHA2-512", nil))
    static let sha3of256 = Fetched(pointer: EVP_MD_fetch(nil, "SHA3-256", nil))

    static let aes128Wrap = Fetched(pointer: EVP_CIPHER_fetch(nil, "AES-128-WRAP", nil))
    static let aes192Wrap = Fetched(pointer: EVP_CIPHER_fetch(nil, "AES-192-WRAP", nil))
    static let aes256Wrap = Fetched(pointer: EVP_CIPHER_fetch(nil, "AES-256-WRAP", nil))
    static let aes256WrapPad = Fetched(pointer: EVP_CIPHER_fetch(nil, "AES-256-WRAP-PAD", nil))

    static let sskdf = Fetched(pointer: EVP_KDF_fetch(nil, "SSKDF", nil))
    static let hkdf = Fetched(pointer: EVP_KDF_fetch(nil, "HKDF", nil))

    /// An unkeyed HMAC-SHA-256 context. It is only duplicated, which reads it; its digest is resolved already.
    static let hmacSHA256: Fetched = {
        guard let mac = EVP_MAC_fetch(nil, "HMAC", nil) else { return Fetched(pointer: nil) }
        defer { EVP_MAC_free(mac) }
        guard let context = EVP_MAC_CTX_new(mac) else { return Fetched(pointer: nil) }
        let status = EVP_MAC_CTX_set_params(context, [Parameter.text("digest", "SHA2-256"), Parameter.end])
        if status == 1 { return Fetched(pointer: context) }
        EVP_MAC_CTX_free(context)
        return Fetched(pointer: nil)
    }()
}
