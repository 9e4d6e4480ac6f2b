import CP11Kit

/// Encryption, signatures and digests (PKCS #11 2.40 base, 5.8 to 5.12), always in one part.
extension Session {
    /// Encrypts with AES-GCM.
    ///
    /// - Parameters:
    ///   - iv: 12 bytes, never used before with this key.
    ///   - output: Room for `plaintext.count + 16` bytes; receives ciphertext ‖ tag.
    borrowing func encryptGCM(
        key: ObjectHandle, iv: [UInt8], associatedData: [UInt8], _ plaintext: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(HSMError) {
        let expected = plaintext.count + Mechanism.gcmTagLength
        precondition(output.count >= expected, "the output buffer of an encryption is too short")
        try call("C_EncryptInit") { functions, handle in
            Mechanism.gcm(iv: iv, associatedData: associatedData).withCMechanism {
                functions.pointee.C_EncryptInit(handle, $0, key)
            }
        }
        var length = CK_ULONG(output.count)
        try call("C_Encrypt") {
            $0.pointee.C_Encrypt(
                $1, plaintext.inputPointer, CK_ULONG(plaintext.count), output.outputPointer, &length)
        }
        guard length == CK_ULONG(expected) else {
            throw HSMError(.deviceFailure, "The token returned \(length) bytes for a ciphertext of \(expected).")
        }
    }

    /// Decrypts with AES-GCM.
    ///
    /// - Parameters:
    ///   - sealed: Ciphertext ‖ tag.
    ///   - output: Room for `sealed.count` bytes: some modules ask for as much as they get.
    /// - Returns: The length of the plaintext.
    /// - Throws: What the module said; SoftHSM reports a bad tag as CKR_GENERAL_ERROR.
    borrowing func decryptGCM(
        key: ObjectHandle, iv: [UInt8], associatedData: [UInt8], _ sealed: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(HSMError) -> Int {
        precondition(output.count >= sealed.count, "the output buffer of a decryption is too short")
        guard sealed.count >= Mechanism.gcmTagLength else {
            throw HSMError(.authenticationFailed, "The input is shorter than an authentication tag.")
        }
        try call("C_DecryptInit") { functions, handle in
            Mechanism.gcm(iv: iv, associatedData: associatedData).withCMechanism {
                functions.pointee.C_DecryptInit(handle, $0, key)
            }
        }
        var length = CK_ULONG(output.count)
        try call("C_Decrypt") {
            $0.pointee.C_Decrypt($1, sealed.inputPointer, CK_ULONG(sealed.count), output.outputPointer, &length)
        }
        let expected = sealed.count - Mechanism.gcmTagLength
        guard length == CK_ULONG(expected) else {
            throw HSMError(.deviceFailure, "The token returned \(length) bytes for a plaintext of \(expected).")
        }
        return expected
    }

    /// Signs or computes a MAC.
    ///
    /// - Parameter length: The length of the signature in bytes; the token must return exactly so many.
    borrowing func sign(
        _ mechanism: MechanismType, key: ObjectHandle, _ data: [UInt8], length expected: Int
    ) throws(HSMError) -> [UInt8] {
        try call("C_SignInit") { functions, handle in
            Mechanism.plain(mechanism).withCMechanism { functions.pointee.C_SignInit(handle, $0, key) }
        }
        var signature = [UInt8](repeating: 0, count: expected)
        var length = CK_ULONG(expected)
        try call("C_Sign") { functions, handle in
            data.withNonNullBytes {
                functions.pointee.C_Sign(handle, $0.baseAddress, CK_ULONG($0.count), &signature, &length)
            }
        }
        guard length == CK_ULONG(expected) else {
            throw HSMError(.deviceFailure, "The token returned a signature of \(length) bytes instead of \(expected).")
        }
        return signature
    }

    /// Whether a signature verifies.
    borrowing func verify(
        _ mechanism: MechanismType, key: ObjectHandle, _ data: [UInt8], signature: [UInt8]
    ) throws(HSMError) -> Bool {
        try call("C_VerifyInit") { functions, handle in
            Mechanism.plain(mechanism).withCMechanism { functions.pointee.C_VerifyInit(handle, $0, key) }
        }
        let value = result(of: "C_Verify") { functions, handle in
            data.withNonNullBytes { data in
                signature.withNonNullBytes {
                    functions.pointee.C_Verify(
                        handle, data.baseAddress, CK_ULONG(data.count), $0.baseAddress, CK_ULONG($0.count))
                }
            }
        }
        let refusals = [UInt(CKR_SIGNATURE_INVALID), UInt(CKR_SIGNATURE_LEN_RANGE)]
        if refusals.contains(value.rawValue) { return false }
        guard value == .ok else { throw HSMError.returned(value, by: "C_Verify") }
        return true
    }

    /// SHA-256 by the token, so that this layer needs no other cryptographic library.
    borrowing func sha256(_ data: [UInt8]) throws(HSMError) -> [UInt8] {
        try call("C_DigestInit") { functions, handle in
            Mechanism.plain(.sha256).withCMechanism { functions.pointee.C_DigestInit(handle, $0) }
        }
        var digest = [UInt8](repeating: 0, count: 32)
        var length = CK_ULONG(digest.count)
        try call("C_Digest") { functions, handle in
            data.withNonNullBytes {
                functions.pointee.C_Digest(handle, $0.baseAddress, CK_ULONG($0.count), &digest, &length)
            }
        }
        guard length == 32 else { throw HSMError(.deviceFailure, "The token returned a SHA-256 of \(length) bytes.") }
        return digest
    }
}

extension UnsafeRawBufferPointer {
    /// The address as C input. Input is never written to, though the C interface takes a mutable pointer; callers pass
    /// buffers that have an address even when they are empty.
    fileprivate var inputPointer: UnsafeMutablePointer<UInt8>? {
        UnsafeMutablePointer(mutating: bindMemory(to: UInt8.self).baseAddress)
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate var outputPointer: UnsafeMutablePointer<UInt8>? { bindMemory(to: UInt8.self).baseAddress }
}
