/// Other people's words made fit for a terminal: nothing in them moves the cursor, changes colours or order, begins a line
/// or hides.
package enum TerminalEscaping {
    package static func of(_ text: String) -> String {
        var harmless = ""
        for scalar in text.unicodeScalars {
            if isHarmless(scalar) {
                harmless.unicodeScalars.append(scalar)
            } else {
                harmless += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return harmless
    }

    /// The same for whole lines of ours that quote others, and may quote what was made harmless already: backslashes stay.
    ///
    /// - Parameter kept: Further characters that stay, such as line breaks that are meant.
    package static func shown(_ text: String, keeping kept: [Unicode.Scalar] = []) -> String {
        if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return text }
        var shown = ""
        for scalar in text.unicodeScalars {
            if isHarmless(scalar) || scalar == "\\" || kept.contains(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return shown
    }

    /// A JSON text in which such characters stand as escapes; it says the same.
    package static func json(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x7F }) { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            if scalar.isASCII && scalar != "\u{7F}" || isHarmless(scalar) {
                escaped.unicodeScalars.append(scalar)
            } else {
                for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
                    let digits = String(unit, radix: 16)
                    escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        return escaped
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20...0x7E).contains(scalar.value) && scalar != "\\" }
        // Some letters show nothing, such as the fillers of Hangul.
        if scalar.properties.isDefaultIgnorableCodePoint { return false }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation, .mathSymbol, .currencySymbol, .otherSymbol:
            return true
        default: return false
        }
    }
}
