import Encodings

/// One JSON object of a node's reply, read in place: its members by name, each in the one form that CometBFT gives it.
///
/// 64-bit numbers are strings of digits, smaller ones numbers; hashes are hexadecimal (upper case is written, either is
/// read), keys and signatures Base64. That is not protobuf's JSON. Members that nobody asked for are passed over, as
/// nodes' versions differ in them; a name twice, or in another case, is refused.
///
/// Source: CometBFT, `libs/json`, `libs/bytes`.
struct ReplyObject {
    private let text: UnsafeRawBufferPointer
    private let names: [StaticString]
    private let values: [JSONValue]
    private let subject: StaticString

    /// - Parameter text: Must outlive the object.
    init(
        _ text: UnsafeRawBufferPointer, _ subject: StaticString, _ names: [StaticString]
    ) throws(LightClientError) {
        var scanner = JSONScanner(text)
        do throws(StrictJSONError) { values = try scanner.members(names, exactly: true) } catch {
            throw .malformed(error.message(about: "\(subject)"))
        }
        self.text = text
        self.names = names
        self.subject = subject
    }

    /// Lends a whole reply.
    static func reading<Value>(
        _ reply: [UInt8], _ subject: StaticString, _ names: [StaticString],
        _ body: (ReplyObject) throws(LightClientError) -> Value
    ) throws(LightClientError) -> Value {
        guard reply.count <= ChainLimits.replyLength else {
            throw .malformed("\(subject) is larger than \(ChainLimits.replyLength) bytes")
        }
        return try reply.withUnsafeBufferPointer { text throws(LightClientError) in
            try body(ReplyObject(UnsafeRawBufferPointer(text), subject, names))
        }
    }

    private func value(_ name: StaticString) -> JSONValue {
        let index = names.firstIndex { known in
            known.withUTF8Buffer { known in name.withUTF8Buffer { known.elementsEqual($0) } }
        }
        return index.map { values[$0] } ?? .absent
    }

    private func wrong(_ name: StaticString, _ expected: StaticString) -> LightClientError {
        .malformed("'\(name)' of \(subject) must be \(expected)")
    }

    /// Whether the member is there and not null.
    func has(_ name: StaticString) -> Bool {
        switch value(name) {
        case .absent, .null: false
        default: true
        }
    }

    // MARK: Numbers

    /// A string of digits in the shortest form, with a minus or without.
    func int64(_ name: StaticString) throws(LightClientError) -> Int64 {
        guard let digits = plainText(name, limit: 20), Self.isShortest(digits), let number = Int64(digits) else {
            throw wrong(name, "a string with a 64-bit number")
        }
        return number
    }

    /// As ``int64(_:)`` without a minus; 0 if the member is absent, as for versions.
    func uint64OrZero(_ name: StaticString) throws(LightClientError) -> UInt64 {
        if case .absent = value(name) { return 0 }
        guard let digits = plainText(name, limit: 20), Self.isShortest(digits), let number = UInt64(digits) else {
            throw wrong(name, "a string with a 64-bit number")
        }
        return number
    }

    /// A JSON number.
    func integer<Number: FixedWidthInteger>(_ name: StaticString, _: Number.Type) throws(LightClientError) -> Number {
        guard case .number(let range) = value(name), range.count <= 20 else { throw wrong(name, "a number") }
        let digits = String(decoding: text[range], as: UTF8.self)
        guard digits != "-0", let number = Number(digits) else { throw wrong(name, "a number in range") }
        return number
    }

    private static func isShortest(_ digits: String) -> Bool {
        let magnitude = digits.startsExactly(with: "-") ? digits.dropFirst() : digits[...]
        return magnitude == "0" ? digits == "0" : magnitude.utf8.first.map { 0x31...0x39 ~= $0 } ?? false
    }

    func flag(_ name: StaticString) throws(LightClientError) -> Bool {
        guard case .bool(let flag) = value(name) else { throw wrong(name, "true or false") }
        return flag
    }

    // MARK: Texts

    /// - Parameter limit: UTF-8 bytes.
    func string(_ name: StaticString, limit: Int) throws(LightClientError) -> String {
        guard case .string(let string) = value(name), string.range.count <= 6 * limit else {
            throw wrong(name, "a short text")
        }
        let unescaped = string.text(in: text)
        guard unescaped.utf8.count <= limit else { throw wrong(name, "a short text") }
        return unescaped
    }

    /// A text without escapes.
    private func plainText(_ name: StaticString, limit: Int) -> String? {
        guard case .string(let string) = value(name), !string.isEscaped, string.range.count <= limit else { return nil }
        return String(decoding: text[string.range], as: UTF8.self)
    }

    func time(_ name: StaticString) throws(LightClientError) -> ChainTime {
        guard let digits = plainText(name, limit: 30), let time = ChainTime(rfc3339: digits.utf8) else {
            throw wrong(name, "a time in UTC of RFC 3339, with at most nine digits of a fraction")
        }
        return time
    }

    /// Hexadecimal; the empty text is no bytes.
    func hex(_ name: StaticString, limit: Int = ChainLimits.hashLength) throws(LightClientError) -> [UInt8] {
        guard let digits = plainText(name, limit: 2 * limit), let bytes = Hexadecimal.decode(digits, .either) else {
            throw wrong(name, "hexadecimal of a hash or an address")
        }
        return bytes
    }

    /// Padded Base64, the one form in which JSON may escape a character, such as the slash; null is no bytes where that is
    /// allowed.
    func base64(_ name: StaticString, limit: Int, orNull: Bool = false) throws(LightClientError) -> [UInt8] {
        if orNull, case .null = value(name) { return [] }
        let digits = try string(name, limit: Base64.encodedCount(limit))
        guard let bytes = Base64.decode(digits, .standard) else { throw wrong(name, "Base64 of a key or a signature") }
        return bytes
    }

    // MARK: Parts

    func object(
        _ name: StaticString, _ subject: StaticString, _ names: [StaticString]
    ) throws(LightClientError) -> ReplyObject {
        guard case .object(let range) = value(name) else { throw wrong(name, "an object") }
        return try ReplyObject(UnsafeRawBufferPointer(rebasing: text[range]), subject, names)
    }

    /// - Parameter limit: Of elements; more are refused before they are looked at.
    func objects(
        _ name: StaticString, _ subject: StaticString, _ names: [StaticString], limit: Int
    ) throws(LightClientError) -> [ReplyObject] {
        guard case .array(let range, _) = value(name) else { throw wrong(name, "an array") }
        var scanner = JSONScanner(text)
        let elements: [JSONValue]
        do throws(StrictJSONError) { elements = try scanner.elements(of: range, limit: limit) } catch {
            throw .malformed("'\(name)' of \(self.subject) has more than \(limit) elements")
        }
        var objects: [ReplyObject] = []
        objects.reserveCapacity(elements.count)
        for element in elements {
            guard case .object(let range) = element else { throw wrong(name, "an array of objects") }
            objects.append(try ReplyObject(UnsafeRawBufferPointer(rebasing: text[range]), subject, names))
        }
        return objects
    }
}
