import Token

/// AES-GCM over byte arrays, for data that is not the daemon's secret.
enum GCM {
    /// - Returns: Ciphertext ‖ tag.
    static func encrypt(
        _ plaintext: [UInt8], key: ObjectHandle, iv: [UInt8], associatedData: [UInt8], session: borrowing Session
    ) throws(HSMError) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: plaintext.count + Mechanism.gcmTagLength)
        let failure: HSMError? = output.withUnsafeMutableBytes { output in
            plaintext.withNonNullBytes { plaintext in
                do throws(HSMError) {
                    try session.encryptGCM(
                        key: key, iv: iv, associatedData: associatedData, UnsafeRawBufferPointer(plaintext),
                        into: output)
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure { throw failure }
        return output
    }

    /// - Parameter sealed: Ciphertext ‖ tag.
    static func decrypt(
        _ sealed: [UInt8], key: ObjectHandle, iv: [UInt8], associatedData: [UInt8], session: borrowing Session
    ) throws(HSMError) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: max(sealed.count, 1))
        let result = output.withUnsafeMutableBytes { output in
            sealed.withNonNullBytes { sealed -> Result<Int, HSMError> in
                do throws(HSMError) {
                    return .success(
                        try session.decryptGCM(
                            key: key, iv: iv, associatedData: associatedData, UnsafeRawBufferPointer(sealed),
                            into: output))
                } catch {
                    return .failure(error)
                }
            }
        }
        output.removeSubrange(try result.get()...)
        return output
    }
}
