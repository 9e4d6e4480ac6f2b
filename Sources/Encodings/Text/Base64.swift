/// Base64 (RFC 4648 §4 and §5), one codec for all the spellings that the daemon's formats ask for.
///
/// What a ``Form`` does not name is refused: other characters, padding in the middle, a lone last character, and set bits
/// that no byte uses, so that one byte string has few spellings, and exactly one in ``standard``, ``url`` and ``urlPadded``.
public enum Base64 {
    /// A spelling: its alphabet, its padding and whether line breaks are skipped when it is read.
    public struct Form: Sendable {
        enum Alphabet { case standard, url, either }
        enum Padding { case required, forbidden, optional }

        var alphabet: Alphabet
        var padding: Padding
        var skipsLineBreaks = false

        /// The standard alphabet, padded (§4).
        public static let standard = Form(alphabet: .standard, padding: .required)
        /// The URL-safe alphabet without padding, as in JOSE (RFC 7515 §2).
        public static let url = Form(alphabet: .url, padding: .forbidden)
        /// The URL-safe alphabet, padded (§5).
        public static let urlPadded = Form(alphabet: .url, padding: .required)
        /// As ``urlPadded``, with line breaks between characters.
        public static let urlPaddedLines = Form(alphabet: .url, padding: .required, skipsLineBreaks: true)
        /// Read in either alphabet, padded or not.
        public static let either = Form(alphabet: .either, padding: .optional)
        /// As ``either``, with line breaks between characters.
        public static let eitherLines = Form(alphabet: .either, padding: .optional, skipsLineBreaks: true)
    }

    // MARK: Writing

    /// The length of the padded encoding of `count` bytes.
    public static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// The text of public bytes.
    public static func encode(_ bytes: some Collection<UInt8>, _ form: Form = .standard) -> String {
        bytes.withContiguousStorageIfAvailable { encode(UnsafeRawBufferPointer($0), form) }
            ?? Array(bytes).withUnsafeBytes { encode($0, form) }
    }

    /// The text of public bytes.
    public static func encode(_ bytes: UnsafeRawBufferPointer, _ form: Form = .standard) -> String {
        String(unsafeUninitializedCapacity: encodedCount(bytes.count)) { output in
            encode(bytes, into: UnsafeMutableRawBufferPointer(output), form)
        }
    }

    /// Writes into memory the caller owns.
    ///
    /// - Parameter output: At least ``encodedCount(_:)`` bytes.
    /// - Returns: How many were written.
    @discardableResult
    public static func encode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ form: Form = .standard
    ) -> Int {
        precondition(output.count >= encodedCount(input.count), "the output is too small for the encoding")
        let alphabet = form.alphabet == .url ? urlAlphabet : standardAlphabet
        return alphabet.withUnsafeBufferPointer { alphabet in
            var (read, write) = (0, 0)
            while read + 3 <= input.count {
                let group = UInt32(input[read]) << 16 | UInt32(input[read + 1]) << 8 | UInt32(input[read + 2])
                output[write] = alphabet[Int(group >> 18)]
                output[write + 1] = alphabet[Int(group >> 12 & 63)]
                output[write + 2] = alphabet[Int(group >> 6 & 63)]
                output[write + 3] = alphabet[Int(group & 63)]
                read += 3
                write += 4
            }
            let rest = input.count - read
            guard rest > 0 else { return write }
            let group = UInt32(input[read]) << 16 | (rest == 2 ? UInt32(input[read + 1]) << 8 : 0)
            for index in 0...rest {
                output[write] = alphabet[Int(group >> (18 - 6 * UInt32(index)) & 63)]
                write += 1
            }
            if form.padding == .forbidden { return write }
            for _ in rest..<3 {
                output[write] = padding
                write += 1
            }
            return write
        }
    }

    static let padding = UInt8(ascii: "=")
    static let standardAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    static let urlAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
}
