import Glibc

/// Random bytes that are public, such as nonces and identifiers; secrets come from `SecretBytes.random`.
public enum Random {
    /// Draws from the kernel's generator (getentropy(3), at most 256 bytes a call).
    ///
    /// - Throws: `.internalFailure` if the kernel refuses; nothing weaker is used instead.
    /// - Concurrency: any thread.
    public static func bytes(_ count: Int) throws(LibCryptoError) -> [UInt8] {
        precondition(count >= 0, "a count of bytes is not negative")
        return try [UInt8].filled(count) { output throws(LibCryptoError) in try fill(output) }
    }

    static func fill(_ output: UnsafeMutableRawBufferPointer) throws(LibCryptoError) {
        guard let base = output.baseAddress else { return }
        var offset = 0
        while offset < output.count {
            let length = min(256, output.count - offset)
            guard getentropy(base + offset, length) == 0 else {
                throw LibCryptoError(.internalFailure, "getentropy failed with errno \(errno).")
            }
            offset += length
        }
    }
}
