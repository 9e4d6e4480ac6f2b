import Encodings
import LibCrypto

/// Bounds on what a caller's words may take of the chain.
enum AuditLimits {
    /// Bytes of a whole record that is read back.
    static let record = 64 * 1024
    /// Facts in ``AuditEvent/details``.
    static let details = 16
    /// Databases whose epochs a record states.
    static let databases = 16
    /// Bytes of a subject that can be revoked; it is never cut.
    static let subject = 1024

    /// The event with every text cut to its bound. A text that was cut ends in its length and the beginning of its
    /// SHA-256, so that two long ones stay apart.
    static func bounded(_ event: AuditEvent) -> AuditEvent {
        var event = event
        event.front = cut(event.front, 32)
        event.actor = cut(event.actor, 512)
        event.operation = cut(event.operation, 64)
        event.subject = cut(event.subject, subject)
        event.reason = cut(event.reason, 256)
        event.requestID = cut(event.requestID, 128)
        guard !event.details.isEmpty else { return event }
        var details: [String: String] = [:]  // exact: the names are this program's own, in ASCII.
        for (name, value) in event.details.sorted(by: { $0.key < $1.key }).prefix(Self.details) {
            details[cut(name, 64)] = cut(value, 1024)
        }
        event.details = details
        return event
    }

    static func cut(_ text: String, _ limit: Int) -> String {
        let count = text.utf8.count
        guard count > limit else { return text }
        let digest = (try? Digest.sha256(Array(text.utf8))) ?? []
        let mark = "...[\(count) bytes, sha256 \(Hexadecimal.encode(Array(digest.prefix(8))))]"
        var kept = ""
        for character in text.unicodeScalars {
            guard kept.utf8.count + UTF8.width(character) + mark.utf8.count <= limit else { break }
            kept.unicodeScalars.append(character)
        }
        return kept + mark
    }
}
