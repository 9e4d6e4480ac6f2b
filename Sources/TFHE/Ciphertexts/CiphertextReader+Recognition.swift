/// Only for messages: what rejected bytes look like.
extension CiphertextReader {
    /// The same refusal, or one that names the format that the bytes are in where that is another one.
    static func explained(
        _ error: TFHEError, _ bytes: UnsafeRawBufferPointer, expected: CiphertextFormat
    ) -> TFHEError {
        guard let found = recognise(bytes, expected: expected) else { return error }
        return .format("expected \(expected.rawValue), found \(found) (\(error.message))")
    }

    /// Nil if the bytes look like nothing, or like what was expected.
    private static func recognise(_ bytes: UnsafeRawBufferPointer, expected: CiphertextFormat) -> String? {
        if let header = SafeHeader(recognisedIn: bytes) {
            return "safe-\(header.version)" == expected.rawValue ? nil : header.description
        }
        let found = plainFormats(bytes)
        return found.isEmpty || found.contains(expected) ? nil : found.map(\.rawValue).joined(separator: " or ")
    }

    /// Plain formats whose lengths fit: as a list of blocks, as one block without a count, as an array of lists.
    private static func plainFormats(_ bytes: UnsafeRawBufferPointer) -> [CiphertextFormat] {
        var reader = BincodeReader(bytes, "ciphertext")
        guard let first = try? reader.u64("count"), let second = try? reader.u64("count"),
            let third = try? reader.u64("count")
        else { return [] }
        if Ciphertext.Limit.wordsOfBlock.contains(first), let found = format(blocks: 1, words: first, bytes.count - 8) {
            return [found]
        }
        guard Ciphertext.Limit.blocks.contains(first) else { return [] }
        if Ciphertext.Limit.wordsOfBlock.contains(second),
            let found = format(blocks: Int(first), words: second, bytes.count - 8 - 8 * Int(first))
        {
            return [found]
        }
        guard Ciphertext.Limit.blocks.contains(second), Ciphertext.Limit.wordsOfBlock.contains(third) else { return [] }
        let member = 8 + Int(second) * (8 + 8 * Int(third) + 60) + 8
        return bytes.count == 8 + Int(first) * member ? [.concreteArray] : []
    }

    /// - Parameter rest: The length without any counts.
    private static func format(blocks: Int, words: UInt64, _ rest: Int) -> CiphertextFormat? {
        let fields = rest - blocks * 8 * Int(words)
        if fields == blocks * 52 { return .raw04 }
        if fields == blocks * 60 { return .raw06 }
        // Behind the blocks: a tag with its length, and an empty list.
        return (16...16 + Int(Ciphertext.Limit.tag)).contains(fields - blocks * 64) ? .raw1 : nil
    }
}
