import Audit
import Encodings
import KMSDaemon

/// A record as one line for people.
enum AuditText {
    static func line(_ record: AuditRecord) -> String {
        let event = record.event
        var words = [
            "\(record.index)", time(record.time), event.outcome.rawValue,
            word(event.front) + "/" + word(event.operation),
            word(event.subject), "by", word(event.actor), word(event.reason), word(event.requestID),
        ]
        words += event.details.sorted { $0.key < $1.key }.map { word($0.key) + "=" + word($0.value) }
        if record.kind == .revocation { words.append("epoch=\(record.epoch)") }
        return words.joined(separator: " ")
    }

    /// One word of a line, whatever it says: quoted unless it is made of letters, digits and a few signs, so that no name reads
    /// like a field or like two. `-` for nothing.
    static func word(_ text: String) -> String {
        guard !text.isEmpty else { return "-" }
        if text.utf8.allSatisfy(isPlain) { return text }
        return "\"" + TerminalEscaping.of(text).replacing("\"", with: "\\u{22}") + "\""
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: ".-_~:/@+#%".utf8.contains(byte)
        }
    }

    /// RFC 3339, whatever a file says: cut to the years 1970 to 9999.
    static func time(_ milliseconds: Int64) -> String {
        let milliseconds = Int(min(max(milliseconds, 0), 253_402_300_799_999))
        return Timestamp(seconds: milliseconds / 1000, nanoseconds: milliseconds % 1000 * 1_000_000)
            .rfc3339(digits: 3)
    }
}
