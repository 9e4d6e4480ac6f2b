import CP11Kit
import Token

/// Ciphers and digests over challenges of ours, in one part (PKCS #11 2.40 base, 5.8 to 5.10). No input or output of these is
/// a secret.
extension Session {
    /// Encrypts a challenge of at most 4 KiB.
    borrowing func encrypt(
        _ mechanism: Mechanism, key: ObjectHandle, _ data: [UInt8]
    ) throws(HSMError) -> [UInt8] {
        try call("C_EncryptInit") { functions, handle in
            mechanism.withCMechanism { functions.pointee.C_EncryptInit(handle, $0, key) }
        }
        return try output(of: "C_Encrypt") { functions, handle, bytes, length in
            data.withNonNullBytes {
                functions.pointee.C_Encrypt(handle, $0.baseAddress, CK_ULONG($0.count), bytes, length)
            }
        }
    }

    /// Decrypts what was made of a challenge, at most 4 KiB.
    borrowing func decrypt(
        _ mechanism: Mechanism, key: ObjectHandle, _ data: [UInt8]
    ) throws(HSMError) -> [UInt8] {
        try call("C_DecryptInit") { functions, handle in
            mechanism.withCMechanism { functions.pointee.C_DecryptInit(handle, $0, key) }
        }
        return try output(of: "C_Decrypt") { functions, handle, bytes, length in
            data.withNonNullBytes {
                functions.pointee.C_Decrypt(handle, $0.baseAddress, CK_ULONG($0.count), bytes, length)
            }
        }
    }

    /// SHA-256 over a challenge and the value of a secret key behind it. Unlike a MAC it tells a key from the same one with
    /// zeros at its end.
    borrowing func digest(_ challenge: [UInt8], key: ObjectHandle) throws(HSMError) -> [UInt8] {
        try call("C_DigestInit") { functions, handle in
            Mechanism.plain(.sha256).withCMechanism { functions.pointee.C_DigestInit(handle, $0) }
        }
        try call("C_DigestUpdate") { functions, handle in
            challenge.withNonNullBytes {
                functions.pointee.C_DigestUpdate(handle, $0.baseAddress, CK_ULONG($0.count))
            }
        }
        try call("C_DigestKey") { $0.pointee.C_DigestKey($1, key) }
        let digest = try output(of: "C_DigestFinal") { functions, handle, bytes, length in
            functions.pointee.C_DigestFinal(handle, bytes, length)
        }
        guard digest.count == 32 else {
            throw HSMError(.deviceFailure, "The token returned a SHA-256 of \(digest.count) bytes.")
        }
        return digest
    }

    private borrowing func output(
        of function: StaticString,
        _ body: (
            UnsafeMutablePointer<CK_FUNCTION_LIST>, CK_SESSION_HANDLE, UnsafeMutablePointer<CK_BYTE>?,
            UnsafeMutablePointer<CK_ULONG>
        ) -> CK_RV
    ) throws(HSMError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4096 + 512)
        var length = CK_ULONG(bytes.count)
        try bytes.withUnsafeMutableBufferPointer { buffer throws(HSMError) in
            try call(function) { body($0, $1, buffer.baseAddress, &length) }
        }
        guard length <= CK_ULONG(bytes.count) else {
            throw HSMError(.deviceFailure, "\(function) returned more bytes than it had room for.")
        }
        return Array(bytes.prefix(Int(length)))
    }
}
