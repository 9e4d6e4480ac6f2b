import CP11Kit
import SecretMemory
import Token

/// Encryption, signatures and digests (PKCS #11 2.40 base, 5.8 to 5.12), in one part but for long MACs.
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
        try beginSigning(mechanism, key)
        var signature = [UInt8](repeating: 0, count: expected)
        var length = CK_ULONG(expected)
        try call("C_Sign") { functions, handle in
            data.withNonNullBytes {
                functions.pointee.C_Sign(handle, $0.baseAddress, CK_ULONG($0.count), &signature, &length)
            }
        }
        try check(length, expected)
        return signature
    }

    /// The same for a digest that stays a secret.
    borrowing func sign(
        _ mechanism: MechanismType, key: ObjectHandle, secret digest: borrowing SecretBytes, length expected: Int
    ) throws(HSMError) -> [UInt8] {
        try beginSigning(mechanism, key)
        var signature = [UInt8](repeating: 0, count: expected)
        var length = CK_ULONG(expected)
        try digest.withUnsafeBytes { digest throws(HSMError) in
            let bytes = UnsafeMutablePointer(mutating: digest.bindMemory(to: UInt8.self).baseAddress)
            try call("C_Sign") { functions, handle in
                functions.pointee.C_Sign(handle, bytes, CK_ULONG(digest.count), &signature, &length)
            }
        }
        try check(length, expected)
        return signature
    }

    private borrowing func beginSigning(_ mechanism: MechanismType, _ key: ObjectHandle) throws(HSMError) {
        try call("C_SignInit") { functions, handle in
            Mechanism.plain(mechanism).withCMechanism { functions.pointee.C_SignInit(handle, $0, key) }
        }
    }

    private borrowing func check(_ length: CK_ULONG, _ expected: Int) throws(HSMError) {
        guard length == CK_ULONG(expected) else {
            throw HSMError(.deviceFailure, "The token returned a signature of \(length) bytes instead of \(expected).")
        }
    }

    /// Computes a MAC in one part, or in several if the token takes no such length in one.
    borrowing func mac(
        _ mechanism: MechanismType, key: ObjectHandle, _ data: [UInt8], length expected: Int
    ) throws(HSMError) -> [UInt8] {
        do throws(HSMError) {
            return try sign(mechanism, key: key, data, length: expected)
        } catch {
            guard error.code == .inputTooLong, data.count > Self.macPart else { throw error }
        }
        var tag = [UInt8](repeating: 0, count: expected)
        var length = CK_ULONG(expected)
        // A refusal ends the operation; not every module does it.
        _ = result(of: "C_SignFinal") { functions, handle in functions.pointee.C_SignFinal(handle, &tag, &length) }
        try call("C_SignInit") { functions, handle in
            Mechanism.plain(mechanism).withCMechanism { functions.pointee.C_SignInit(handle, $0, key) }
        }
        for start in stride(from: 0, to: data.count, by: Self.macPart) {
            try call("C_SignUpdate") { functions, handle in
                Array(data[start..<min(start + Self.macPart, data.count)]).withNonNullBytes {
                    functions.pointee.C_SignUpdate(handle, $0.baseAddress, CK_ULONG($0.count))
                }
            }
        }
        length = CK_ULONG(expected)
        try call("C_SignFinal") { functions, handle in functions.pointee.C_SignFinal(handle, &tag, &length) }
        guard length == CK_ULONG(expected) else {
            throw HSMError(.deviceFailure, "The token returned a MAC of \(length) bytes instead of \(expected).")
        }
        return tag
    }

    /// What tokens with a bound take in one part.
    private static let macPart = 1024

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

    /// Whether a signature verifies under a public point, which the token is handed for this.
    borrowing func verify(
        _ mechanism: MechanismType, point: [UInt8], on curve: EllipticCurve, _ data: [UInt8], signature: [UInt8]
    ) throws(HSMError) -> Bool {
        let publicKey = try create([
            .objectClass(.publicKey), .keyType(curve.isEdwards ? .edwards : .ec), .flag(.token, false),
            .flag(.private, false), .flag(.verify, true), .bytes(.ecParameters, curve.parameters),
            .bytes(.ecPoint, curve.attribute(fromPoint: point)),
        ])
        let isGood: Bool
        do throws(HSMError) {
            isGood = try verify(mechanism, key: publicKey, data, signature: signature)
        } catch {
            try? destroy(publicKey)
            throw error
        }
        try destroy(publicKey)
        return isGood
    }

    /// SHA-256, by the token.
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
