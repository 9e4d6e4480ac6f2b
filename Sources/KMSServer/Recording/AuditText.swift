import Audit

/// A record as one line for people.
enum AuditText {
    static func line(_ record: AuditRecord) -> String {
        let event = record.event
        var words = [
            "\(record.index)", time(record.time), event.outcome.rawValue, event.front + "/" + event.operation,
            event.subject,
            "by", event.actor, event.reason, event.requestID,
        ]
        words += event.details.sorted { $0.key < $1.key }.map { $0.key + "=" + $0.value }
        if record.kind == .revocation { words.append("epoch=\(record.epoch)") }
        return words.map { $0.isEmpty ? "-" : HarmlessText.of($0) }.joined(separator: " ")
    }

    /// RFC 3339, whatever a file says: cut to the years 1970 to 9999.
    static func time(_ milliseconds: Int64) -> String {
        let milliseconds = Int(min(max(milliseconds, 0), 253_402_300_799_999))
        return Timestamp(seconds: milliseconds / 1000, nanoseconds: milliseconds % 1000 * 1_000_000)
            .rfc3339(digits: 3)
    }
}
