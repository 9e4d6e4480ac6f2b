public import SecretMemory

/// The secret bits that open ciphertexts, in locked memory that is wiped with the last copy of this value.
///
/// Only the secret that the file's own choice of key encrypts with is kept, packed: 256 bytes for the usual 2048 bits.
/// Whoever may have ciphertexts of their own making decrypted learns the key bit by bit, so a caller decrypts only what
/// a proof has shown to be permitted.
///
/// - Concurrency: immutable; any thread.
public struct ClientKey: Sendable {
    public let parameters: KeyParameters
    let bits: SharedSecret

    /// Takes bits that were packed before, such as unsealed ones.
    ///
    /// - Parameter bits: ``KeyParameters/packedByteCount`` bytes, least significant bit first, zeros behind the length.
    /// - Throws: ``TFHEError`` (`tfhe-key`) for another length or bits behind it.
    public init(packed bits: consuming SecretBytes, parameters: KeyParameters) throws(TFHEError) {
        guard bits.count == parameters.packedByteCount else {
            throw .key("\(parameters.length) bits take \(parameters.packedByteCount) bytes, not \(bits.count)")
        }
        let behind = bits.withUnsafeBytes { KeyBits.behind($0, length: parameters.length) }
        guard behind == 0 else { throw .key("the packed key has bits behind its length") }
        self.parameters = parameters
        self.bits = SharedSecret(bits)
    }

    /// Reads a client key file.
    ///
    /// - Parameters:
    ///   - file: The whole file, at most 1 MiB; the caller drops it afterwards.
    ///   - format: What it must be in.
    ///   - parameters: What the operator says of the key. Formats that carry parameters must say the same; Concrete's
    ///     export carries none, so there they are needed.
    /// - Throws: ``TFHEError``, or `SecretMemoryError` if memory cannot be locked.
    public init(
        reading file: borrowing SecretBytes, as format: ClientKeyFormat, expecting parameters: KeyParameters? = nil
    ) throws {
        guard file.count <= ClientKeyReader.limit else {
            throw TFHEError.malformed("the client key has more than 1 MiB")
        }
        self = try file.withUnsafeBytes { bytes in
            let found = try ClientKeyReader.read(bytes, format, expecting: parameters)
            if let parameters, parameters != found.parameters {
                throw TFHEError.key("the file has other parameters than the ones expected")
            }
            let words = UnsafeRawBufferPointer(rebasing: bytes[found.words.offset...].prefix(8 * found.words.count))
            let packed = try SecretBytes.make(count: found.parameters.packedByteCount) { output in
                guard KeyBits.pack(words, into: output) == 0 else {
                    throw TFHEError.key("a word of the key is neither 0 nor 1")
                }
            }
            return try ClientKey(packed: packed, parameters: found.parameters)
        }
    }

    /// Lends the packed bits, for whoever seals them.
    public func withPackedBits<R: ~Copyable, E: Error>(_ body: (borrowing SecretBytes) throws(E) -> R) throws(E) -> R {
        try bits.withSecret(body)
    }
}
