/// Other people's words made fit for a terminal: nothing in them moves the cursor, changes colours or order, begins a line
/// or hides.
enum HarmlessText {
    static func of(_ text: String) -> String {
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

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20...0x7E).contains(scalar.value) && scalar != "\\" }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation, .mathSymbol, .currencySymbol, .otherSymbol:
            return true
        default: return false
        }
    }
}
