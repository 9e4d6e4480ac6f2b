import Encodings

/// The query of a request, strictly: known names, each once, percent-encoding well-formed.
struct QueryParameters: Equatable {
    private var values: [ExactText: String] = [:]

    /// - Parameter allowed: Names the route knows.
    init(_ query: Substring?, allowed: [String]) throws(RequestError) {
        guard let query, !query.isEmpty else { return }
        for pair in query.splitExactly(at: "&") {
            let parts = pair.splitExactly(at: "=", maxSplits: 1)
            guard let name = Self.decode(parts[0]), allowed.containsExactly(name) else {
                throw .badRequest("the query has a parameter that this route does not know")
            }
            guard parts.count == 2, let value = Self.decode(parts[1]) else {
                throw .badRequest("the query parameter '\(name)' has no proper value")
            }
            guard values.updateValue(value, forKey: ExactText(name)) == nil else {
                throw .badRequest("the query parameter '\(name)' is given twice")
            }
        }
    }

    subscript(name: String) -> String? { values[ExactText(name)] }

    /// A whole number written in digits only.
    func number(_ name: String, in range: ClosedRange<Int>) throws(RequestError) -> Int? {
        guard let text = values[ExactText(name)] else { return nil }
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(text),
            range.contains(number)
        else {
            throw .badRequest(
                "the query parameter '\(name)' is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func decode(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(hexadecimal), let low = rest.popFirst().flatMap(hexadecimal)
                else { return nil }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
