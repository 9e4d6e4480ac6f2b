internal import FoundationEssentials

/// The base64 forms of the capability headers; decoding takes both alphabets, with or without padding.
package enum Base64 {
    package static func standard(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    package static func urlPadded(_ bytes: [UInt8]) -> String {
        String(
            standard(bytes).map { character -> Character in
                switch character {
                case "+": "-"
                case "/": "_"
                default: character
                }
            })
    }

    package static func urlUnpadded(_ bytes: [UInt8]) -> String { String(urlPadded(bytes).prefix { $0 != "=" }) }

    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var standard = text.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        while standard.last == UInt8(ascii: "=") { standard.removeLast() }
        while standard.count % 4 != 0 { standard.append(UInt8(ascii: "=")) }
        return Data(base64Encoded: Data(standard)).map { [UInt8]($0) }
    }
}
