import HTTPTypes
import Synchronization

/// The names of one request. Logs and records have ours, so that no caller makes two requests look like one, and the caller's
/// beside it.
struct RequestID: Sendable, CustomStringConvertible {
    /// Ours.
    let own: String
    /// The caller's, if it is harmless.
    let given: String?

    /// What `X-Request-Id` answers.
    var description: String { given ?? own }

    /// A process-wide random prefix and a counter: unique without a system call.
    private static let prefix = String(UInt64.random(in: .min ... .max), radix: 36)
    private static let counter = Atomic<UInt64>(0)

    init(_ headers: HTTPFields) {
        let number = Self.counter.add(1, ordering: .relaxed).newValue
        own = Self.prefix + "-" + String(number, radix: 36)
        given = headers[.xRequestID].flatMap { Self.isHarmless($0) ? $0 : nil }
    }

    /// 1 to 64 letters, digits, dots, dashes and underscores: nothing a log or a terminal could misread.
    private static func isHarmless(_ text: String) -> Bool {
        guard (1...64).contains(text.utf8.count) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
