import HTTPTypes
import Synchronization

/// The name of one request in logs and in the answer's `X-Request-Id`: the caller's if it is harmless, else ours.
struct RequestID: Sendable, CustomStringConvertible {
    let description: String

    /// A process-wide random prefix and a counter: unique without a system call.
    private static let prefix = String(UInt64.random(in: .min ... .max), radix: 36)
    private static let counter = Atomic<UInt64>(0)

    init(_ headers: HTTPFields) {
        if let given = headers[.xRequestID], Self.isHarmless(given) {
            description = given
        } else {
            let number = Self.counter.add(1, ordering: .relaxed).newValue
            description = Self.prefix + "-" + String(number, radix: 36)
        }
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

extension HTTPField.Name {
    static let xRequestID: HTTPField.Name = {
        guard let name = HTTPField.Name("X-Request-Id") else { preconditionFailure("the name is a token") }
        return name
    }()
    static let noSniff: HTTPField.Name = {
        guard let name = HTTPField.Name("X-Content-Type-Options") else { preconditionFailure("the name is a token") }
        return name
    }()
}
