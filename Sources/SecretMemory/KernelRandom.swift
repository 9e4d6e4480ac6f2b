import Glibc

/// The kernel's generator, for secrets that a caller writes into its own memory.
public enum KernelRandom {
    /// Fills the buffer (getentropy(3), at most 256 bytes a call).
    ///
    /// - Throws: ``SecretMemoryError`` if the kernel refuses; nothing weaker is used instead.
    /// - Concurrency: any thread.
    public static func fill(_ output: UnsafeMutableRawBufferPointer) throws(SecretMemoryError) {
        guard let base = output.baseAddress else { return }
        var offset = 0
        while offset < output.count {
            let length = min(256, output.count - offset)
            guard getentropy(base + offset, length) == 0 else {
                throw SecretMemoryError(call: "getentropy", errno: errno)
            }
            offset += length
        }
    }
}
