public import Encodings

extension Hexadecimal {
    /// The bytes of a text that must name exactly `count` of them.
    ///
    /// - Throws: `.invalidArgument` naming `operand`.
    public static func decode(_ text: String, count: Int, operand: String) throws(SplitKeyError) -> [UInt8] {
        guard let bytes = decode(text, .either), bytes.count == count else {
            throw .invalid("'\(operand)' must be \(2 * count) hexadecimal digits")
        }
        return bytes
    }
}
