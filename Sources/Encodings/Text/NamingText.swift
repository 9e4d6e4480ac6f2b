/// The one rule for texts that name somebody or something: users, controllers, labels, kinds of names alike.
///
/// Whatever they look like, they are shown in lists and logs and stored in columns of text. A NUL ends a text there, a
/// control character begins a line or moves a cursor, and one that turns the order of writing shows another name.
public enum NamingText {
    /// Why a text is no name; nil if it is one.
    ///
    /// - Parameter limit: Most bytes.
    public static func problem(_ text: some StringProtocol, limit: Int) -> String? {
        let count = text.utf8.count
        guard (1...limit).contains(count) else { return "must have 1 to \(limit) bytes" }
        guard !text.unicodeScalars.contains(where: isControl) else {
            return "must not hold control characters, nor ones that change the direction of writing"
        }
        return nil
    }

    /// C0, DEL, C1, separators of lines and paragraphs, and what changes the direction of writing (Unicode Standard
    /// Annex #9, section 2), shows nothing or is no character.
    ///
    /// Of what shows nothing (Default_Ignorable_Code_Point) the joiners and the selectors of variants stay: scripts and
    /// pictures are written with them.
    public static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x61C, 0x200B, 0x200E...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF,
            0xFFF9...0xFFFB,
            0xFDD0...0xFDEF, 0xE0000...0xE007F:
            true
        case 0x200C, 0x200D, 0xFE00...0xFE0F: false
        default: scalar.value & 0xFFFE == 0xFFFE || scalar.properties.isDefaultIgnorableCodePoint
        }
    }
}
