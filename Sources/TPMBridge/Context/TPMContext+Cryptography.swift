import CTSS2
import Glibc
import SecretMemory
import Token

/// Using keys.
extension TPMContext {
    /// HMAC-SHA-256 as a secret: both the message and the result are encrypted on their way.
    func secretHMAC(_ key: ESYS_TR, _ authorization: SharedSecret, _ message: [UInt8]) throws(HSMError) -> SharedSecret
    {
        var pointer: UnsafeMutablePointer<TPM2B_DIGEST>?
        try hmac(key, authorization, message, &pointer)
        guard let pointer else { throw HSMError(.deviceFailure, "Esys_HMAC gave nothing.") }
        defer {
            TPMBytes.wipe(&pointer.pointee)
            Esys_Free(pointer)
            wipeResponse()
        }
        return try withUnsafeBytes(of: &pointer.pointee.buffer) { (bytes) throws(HSMError) in
            try Self.secret(bytes, count: pointer.pointee.size, "Esys_HMAC")
        }
    }

    /// 32 secret bytes of a response, in locked memory.
    static func secret(
        _ buffer: UnsafeRawBufferPointer, count: UInt16, _ function: String
    ) throws(HSMError) -> SharedSecret {
        guard count == 32 else { throw HSMError(.deviceFailure, "\(function) gave another length.") }
        do {
            return SharedSecret(try SecretBytes(copying: UnsafeRawBufferPointer(rebasing: buffer.prefix(32))))
        } catch {
            throw HSMError(.overloaded, "No locked memory for a secret: \(error).")
        }
    }

    /// HMAC-SHA-256 of a message of any length, 32 bytes: one command if it takes all of it, otherwise a sequence.
    func hmac(_ key: ESYS_TR, _ authorization: SharedSecret, _ message: [UInt8]) throws(HSMError) -> [UInt8] {
        guard message.count <= longestMessage else { return try longHMAC(key, authorization, message) }
        var pointer: UnsafeMutablePointer<TPM2B_DIGEST>?
        try hmac(key, authorization, message, &pointer)
        guard let pointer else { throw HSMError(.deviceFailure, "Esys_HMAC gave nothing.") }
        defer { Esys_Free(pointer) }
        return TPMBytes.array(pointer.pointee)
    }

    private func hmac(
        _ key: ESYS_TR, _ authorization: SharedSecret, _ message: [UInt8],
        _ result: inout UnsafeMutablePointer<TPM2B_DIGEST>?
    ) throws(HSMError) {
        guard message.count <= longestMessage else {
            throw HSMError(
                .inputTooLong, "This TPM takes at most \(longestMessage) bytes for a MAC in one command.")
        }
        var buffer = TPM2B_MAX_BUFFER()
        TPMBytes.fill(&buffer, message)
        var pointer: UnsafeMutablePointer<TPM2B_DIGEST>?
        try withAuthorization(key, authorization) { () throws(HSMError) in
            let session = try session(encrypting: true, decrypting: true)
            try call("Esys_HMAC") {
                Esys_HMAC(
                    esys, key, session, Self.none, Self.none, &buffer, TPMI_ALG_HASH(TPM2_ALG_SHA256), &pointer)
            }
        }
        result = pointer
    }

    /// ECDSA over a digest: r ‖ s, each `width` bytes.
    func sign(
        _ key: ESYS_TR, _ authorization: SharedSecret, digest: [UInt8], width: Int
    ) throws(HSMError) -> [UInt8] {
        var buffer = TPM2B_DIGEST()
        guard digest.count <= 64 else { throw Self.noDigest }
        TPMBytes.fill(&buffer, digest)
        return try sign(key, authorization, &buffer, width: width)
    }

    /// The same for a digest that stays a secret.
    func sign(
        _ key: ESYS_TR, _ authorization: SharedSecret, secret digest: borrowing SecretBytes, width: Int
    ) throws(HSMError) -> [UInt8] {
        var buffer = TPM2B_DIGEST()
        defer { explicit_bzero(&buffer, MemoryLayout<TPM2B_DIGEST>.size) }
        digest.withUnsafeBytes { TPMBytes.fill(&buffer, $0) }
        return try sign(key, authorization, &buffer, width: width)
    }

    private static let noDigest = HSMError(.invalidArgument, "A TPM signs digests of 20, 32, 48 or 64 bytes.")

    private func sign(
        _ key: ESYS_TR, _ authorization: SharedSecret, _ buffer: inout TPM2B_DIGEST, width: Int
    ) throws(HSMError) -> [UInt8] {
        let hash: TPMI_ALG_HASH
        switch buffer.size {
        case 32: hash = TPMI_ALG_HASH(TPM2_ALG_SHA256)
        case 48: hash = TPMI_ALG_HASH(TPM2_ALG_SHA384)
        case 64: hash = TPMI_ALG_HASH(TPM2_ALG_SHA512)
        case 20: hash = TPMI_ALG_HASH(TPM2_ALG_SHA1)
        default: throw Self.noDigest
        }
        var scheme = kms_ecdsa(hash)
        var ticket = kms_no_ticket()
        var pointer: UnsafeMutablePointer<TPMT_SIGNATURE>?
        try withAuthorization(key, authorization) { () throws(HSMError) in
            let session = try session(encrypting: false, decrypting: true)
            try call("Esys_Sign") {
                Esys_Sign(esys, key, session, Self.none, Self.none, &buffer, &scheme, &ticket, &pointer)
            }
        }
        guard let pointer else { throw HSMError(.deviceFailure, "Esys_Sign gave nothing.") }
        defer { Esys_Free(pointer) }
        let signature = pointer.pointee.signature.ecdsa
        guard let r = TPMBytes.padded(TPMBytes.array(signature.signatureR), to: width),
            let s = TPMBytes.padded(TPMBytes.array(signature.signatureS), to: width)
        else { throw HSMError(.deviceFailure, "Esys_Sign gave a signature that does not fit its curve.") }
        return r + s
    }
}
