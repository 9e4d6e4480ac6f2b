import SecretMemory
import Token

/// What ``Sealing`` puts out: version(1) ‖ iv(12) ‖ ciphertext(n) ‖ tag(16); n + 29 bytes.
///
/// AES-256-GCM with a 96-bit IV and a 128-bit tag (NIST SP 800-38D). The associated data is version ‖ context, so that
/// no later version of the format can be passed off as this one.
enum SealedFormat {
    static let version: UInt8 = 1
    static let contextLengths = 1...4096
    static let overhead = 1 + Mechanism.gcmIVLength + Mechanism.gcmTagLength

    static func checkContext(_ context: [UInt8]) throws(HSMError) {
        guard contextLengths.contains(context.count) else {
            throw HSMError(.invalidArgument, "A context has 1 to 4096 bytes, not \(context.count).")
        }
    }

    static func seal(
        _ plaintext: SharedSecret, session: borrowing Session, key: ObjectHandle, iv: [UInt8], context: [UInt8]
    ) throws(HSMError) -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: overhead + plaintext.count)
        sealed[0] = version
        sealed.replaceSubrange(1...Mechanism.gcmIVLength, with: iv)
        let failure: HSMError? = sealed.withUnsafeMutableBytes { buffer in
            let body = UnsafeMutableRawBufferPointer(rebasing: buffer[(1 + Mechanism.gcmIVLength)...])
            return plaintext.withUnsafeBytes { plaintext in
                do throws(HSMError) {
                    try session.encryptGCM(
                        key: key, iv: iv, associatedData: [version] + context, plaintext, into: body)
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure { throw failure }
        return sealed
    }

    /// - Throws: `.authenticationFailed` without a cause if the form is wrong, or what the module said.
    static func open(
        _ sealed: [UInt8], session: borrowing Session, key: ObjectHandle, context: [UInt8]
    ) throws(HSMError) -> SharedSecret {
        guard sealed.count >= overhead, sealed[0] == version else { throw HSMError.notAuthentic }
        let iv = Array(sealed[1...Mechanism.gcmIVLength])
        var failure: HSMError?
        do {
            return try sealed.withUnsafeBytes { buffer in
                let body = UnsafeRawBufferPointer(rebasing: buffer[(1 + Mechanism.gcmIVLength)...])
                let secret = try SecretBytes.make(capacity: body.count) { output in
                    do throws(HSMError) {
                        return try session.decryptGCM(
                            key: key, iv: iv, associatedData: [version] + context, body, into: output)
                    } catch {
                        failure = error
                        throw error
                    }
                }
                return SharedSecret(secret)
            }
        } catch {
            throw failure ?? HSMError(.overloaded, "No locked memory for a secret: \(error).")
        }
    }
}
