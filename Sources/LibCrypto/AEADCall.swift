internal import CLibCrypto
internal import CSodium
import SecretMemory

/// The operands of one AEAD operation, lent for its duration, their lengths already checked.
struct AEADCall {
    let algorithm: AEADAlgorithm
    let key: UnsafeRawBufferPointer
    let nonce: UnsafeRawBufferPointer
    let associatedData: UnsafeRawBufferPointer

    /// Writes ciphertext ‖ tag; `output` has room for exactly that.
    func seal(_ plaintext: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws(LibCryptoError) {
        defer { kms_wipe_stack() }
        guard let cipher = evpCipher else { return try sealXChaCha(plaintext, output) }
        let context = try OpenSSL.check("EVP_CIPHER_CTX_new", EVP_CIPHER_CTX_new())
        // Freeing wipes the context and the key schedule inside it.
        defer { EVP_CIPHER_CTX_free(context) }
        try OpenSSL.check(
            "EVP_EncryptInit_ex2", EVP_EncryptInit_ex2(context, cipher.pointer, key.bytes, nonce.bytes, nil))
        var written: Int32 = 0
        if !associatedData.isEmpty {
            try OpenSSL.check(
                "EVP_EncryptUpdate",
                EVP_EncryptUpdate(context, nil, &written, associatedData.bytes, Int32(associatedData.count)))
        }
        if !plaintext.isEmpty {
            try OpenSSL.check(
                "EVP_EncryptUpdate",
                EVP_EncryptUpdate(context, output.bytes, &written, plaintext.bytes, Int32(plaintext.count)))
        }
        // Stream modes write nothing here.
        var rest: Int32 = 0
        let tag = UnsafeMutableRawBufferPointer(rebasing: output[plaintext.count...])
        try OpenSSL.check("EVP_EncryptFinal_ex", EVP_EncryptFinal_ex(context, tag.bytes, &rest))
        try OpenSSL.check(
            "EVP_CTRL_AEAD_GET_TAG",
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tag.count), tag.baseAddress))
    }

    /// Writes the plaintext, or wipes `output` and throws; `ciphertext` is at least a tag long.
    func open(_ ciphertext: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws(LibCryptoError) {
        defer { kms_wipe_stack() }
        do throws(LibCryptoError) {
            if let cipher = evpCipher {
                try openEVP(cipher, ciphertext, output)
            } else {
                try openXChaCha(ciphertext, output)
            }
        } catch {
            // GCM decrypts before it can check the tag.
            if let base = output.baseAddress { OPENSSL_cleanse(base, output.count) }
            throw error
        }
    }

    /// Nil for the one cipher OpenSSL does not have.
    private var evpCipher: Algorithms.Fetched? {
        switch algorithm {
        case .aes128GCM: Algorithms.aes128GCM
        case .aes256GCM: Algorithms.aes256GCM
        case .chaCha20Poly1305: Algorithms.chaCha20Poly1305
        case .xChaCha20Poly1305: nil
        }
    }

    private func openEVP(
        _ cipher: Algorithms.Fetched, _ ciphertext: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(LibCryptoError) {
        let body = UnsafeRawBufferPointer(rebasing: ciphertext[..<output.count])
        let tag = UnsafeRawBufferPointer(rebasing: ciphertext[output.count...])
        let context = try OpenSSL.check("EVP_CIPHER_CTX_new", EVP_CIPHER_CTX_new())
        defer { EVP_CIPHER_CTX_free(context) }
        try OpenSSL.check(
            "EVP_DecryptInit_ex2", EVP_DecryptInit_ex2(context, cipher.pointer, key.bytes, nonce.bytes, nil))
        // The control copies the tag in; its parameter is mutable only because the function serves reads as well.
        try OpenSSL.check(
            "EVP_CTRL_AEAD_SET_TAG",
            EVP_CIPHER_CTX_ctrl(
                context, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), UnsafeMutableRawPointer(mutating: tag.baseAddress)))
        var written: Int32 = 0
        if !associatedData.isEmpty {
            try OpenSSL.check(
                "EVP_DecryptUpdate",
                EVP_DecryptUpdate(context, nil, &written, associatedData.bytes, Int32(associatedData.count)))
        }
        if !body.isEmpty {
            // The one-shot ChaCha20-Poly1305 of some processors refuses a wrong tag here already.
            guard OpenSSL.holds(EVP_DecryptUpdate(context, output.bytes, &written, body.bytes, Int32(body.count)))
            else { throw Self.refused }
        }
        var rest: Int32 = 0
        var unused: UInt8 = 0
        guard OpenSSL.holds(EVP_DecryptFinal_ex(context, &unused, &rest)) else { throw Self.refused }
    }

    private func sealXChaCha(
        _ plaintext: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(LibCryptoError) {
        try LibCrypto.prepare()
        guard let output = output.bytes, let nonce = nonce.bytes, let key = key.bytes else { throw Self.refused }
        try Sodium.check(
            "crypto_aead_xchacha20poly1305_ietf_encrypt",
            crypto_aead_xchacha20poly1305_ietf_encrypt(
                output, nil, plaintext.bytes, UInt64(plaintext.count), associatedData.bytes,
                UInt64(associatedData.count), nil, nonce, key),
            .internalFailure)
    }

    private func openXChaCha(
        _ ciphertext: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(LibCryptoError) {
        try LibCrypto.prepare()
        guard let body = ciphertext.bytes, let nonce = nonce.bytes, let key = key.bytes,
            crypto_aead_xchacha20poly1305_ietf_decrypt(
                output.bytes, nil, nil, body, UInt64(ciphertext.count), associatedData.bytes,
                UInt64(associatedData.count), nonce, key) == 0
        else { throw Self.refused }
    }

    private static var refused: LibCryptoError {
        LibCryptoError(.authenticationFailed, "The ciphertext does not authenticate.")
    }
}
