import Foundation

/// JSON with sorted members, no white space and only printable ASCII: one spelling of a value, harmless on a terminal.
package enum PlainJSON {
    package static func encode(_ value: any Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("texts and whole numbers always have a JSON form")
        }
        return escaped(String(decoding: data, as: UTF8.self))
    }

    /// Escapes what is outside printable ASCII; in JSON that occurs inside strings only.
    private static func escaped(_ json: String) -> String {
        guard json.utf8.contains(where: { !(0x20...0x7E).contains($0) }) else { return json }
        var text = ""
        text.reserveCapacity(json.utf8.count + 64)
        for scalar in json.unicodeScalars {
            if (0x20...0x7E).contains(scalar.value) {
                text.unicodeScalars.append(scalar)
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        return text
    }
}
