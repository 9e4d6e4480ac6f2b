import Encodings

/// Values as 0Chain's clients write them: hexadecimal, lower case; upper case is read too.
enum WalletText {
    /// - Parameter what: Names the operand in the error.
    static func decode(_ text: String, count: Int, _ what: String) throws(WalletError) -> [UInt8] {
        guard text.utf8.count == 2 * count else {
            throw WalletError(.invalidInput, "\(what) has \(2 * count) hexadecimal digits, not \(text.utf8.count).")
        }
        guard let bytes = Hexadecimal.decode(text, .either) else {
            throw WalletError(.invalidInput, "\(what) has characters that are no hexadecimal digits.")
        }
        return bytes
    }
}
