import Encodings
import SecretMemory

/// The members of a request body that a route asked for, typed on demand.
///
/// `null` and an absent member are the same; an empty string is present. Names in errors are the API's.
///
/// - Concurrency: a value; the bytes must outlive it.
struct JSONMembers {
    private let names: [StaticString]
    private let values: [JSONValue]
    private let bytes: UnsafeRawBufferPointer

    /// - Parameter exactly: Whether a name in another case is refused instead of accepted.
    init(
        _ bytes: UnsafeRawBufferPointer, _ names: [StaticString], exactly: Bool = false
    ) throws(JSONError) {
        var scanner = JSONScanner(bytes)
        do throws(StrictJSONError) {
            values = try scanner.members(names, exactly: exactly)
        } catch {
            throw JSONError(error)
        }
        self.names = names
        self.bytes = bytes
    }

    /// A byte string; nil when absent.
    func optionalBytes(_ index: Int) throws(JSONError) -> [UInt8]? {
        guard let string = try string(index) else { return nil }
        return try decoded(string, index)
    }

    /// Byte strings that must be there; there may be none. `null` among them is an empty one.
    ///
    /// - Parameter limit: Of elements.
    func byteStrings(_ index: Int, limit: Int) throws(JSONError) -> [[UInt8]] {
        try elements(index, limit: limit, of: "strings") { value throws(JSONError) in
            switch value {
            case .string(let string): return try decoded(string, index)
            case .null: return []
            default: return nil
            }
        }
    }

    /// Integers that must be there; there may be none.
    ///
    /// - Parameter limit: Of elements.
    func integers(_ index: Int, limit: Int) throws(JSONError) -> [Int] {
        try elements(index, limit: limit, of: "integers") { value throws(JSONError) in
            guard case .number(let range) = value else { return nil }
            return Int(String(decoding: bytes[range], as: UTF8.self))
        }
    }

    /// - Parameter read: Nil for an element of another kind.
    private func elements<R>(
        _ index: Int, limit: Int, of kind: StaticString, _ read: (JSONValue) throws(JSONError) -> R?
    ) throws(JSONError) -> [R] {
        guard isPresent(index) else { throw missing(index) }
        let wrongKind = JSONError("'\(names[index])' is not an array of \(kind)")
        guard case .array(let range, _) = values[index] else { throw wrongKind }
        var scanner = JSONScanner(bytes)
        let values: [JSONValue]
        do throws(StrictJSONError) {
            values = try scanner.elements(of: range, limit: limit)
        } catch {
            // Its form is known to be good, so only their number can be at fault.
            throw JSONError("'\(names[index])' has more than \(limit) elements")
        }
        var results: [R] = []
        results.reserveCapacity(values.count)
        for value in values {
            guard let result = try read(value) else { throw wrongKind }
            results.append(result)
        }
        return results
    }

    private func decoded(_ string: JSONString, _ index: Int) throws(JSONError) -> [UInt8] {
        let decoded: [UInt8]?
        if string.isEscaped {
            decoded = string.unescaped(in: bytes).withUnsafeBytes { Base64.decode($0, .eitherLines) }
        } else {
            decoded = Base64.decode(UnsafeRawBufferPointer(rebasing: bytes[string.range]), .eitherLines)
        }
        guard let decoded else { throw JSONError("'\(names[index])' is not base64") }
        return decoded
    }

    /// A byte string that must be there; it may be empty.
    func bytes(_ index: Int) throws(JSONError) -> [UInt8] {
        guard let value = try optionalBytes(index) else { throw missing(index) }
        return value
    }

    /// A byte string that must be there; `null` is an empty one, since that is how the clients write no bytes.
    func nullableBytes(_ index: Int) throws(JSONError) -> [UInt8] {
        if case .absent = values[index] { throw missing(index) }
        return try optionalBytes(index) ?? []
    }

    /// A text; nil when absent.
    func optionalText(_ index: Int) throws(JSONError) -> String? {
        try string(index)?.text(in: bytes)
    }

    /// A text that must be there.
    func text(_ index: Int) throws(JSONError) -> String {
        guard let value = try optionalText(index) else { throw missing(index) }
        return value
    }

    /// A byte string that is a secret, decoded straight into locked memory.
    ///
    /// - Parameter scratch: The same memory as the body, writable: an escaped string is unescaped where it stands.
    func secret(_ index: Int, unescapingIn scratch: UnsafeMutableRawBufferPointer) throws -> SharedSecret {
        guard let string = try string(index) else { throw missing(index) }
        var range = string.range
        if string.isEscaped {
            let target = UnsafeMutableRawBufferPointer(rebasing: scratch[range])
            range = range.lowerBound..<range.lowerBound + string.unescape(bytes, into: target)
        }
        guard let secret = try Base64.decodeSecret(UnsafeRawBufferPointer(rebasing: bytes[range]), .eitherLines) else {
            throw JSONError("'\(names[index])' is not base64")
        }
        return secret
    }

    /// A truth value; false when absent.
    func flag(_ index: Int) throws(JSONError) -> Bool {
        switch values[index] {
        case .absent, .null: return false
        case .bool(let flag): return flag
        default: throw JSONError("'\(names[index])' is neither true nor false")
        }
    }

    /// The part of `memory` that these members were read from: all of it, or an object inside.
    func part(of memory: UnsafeMutableRawBufferPointer) -> UnsafeMutableRawBufferPointer {
        guard let base = bytes.baseAddress, let start = memory.baseAddress else { return memory }
        let offset = base - UnsafeRawPointer(start)
        return UnsafeMutableRawBufferPointer(rebasing: memory[offset..<offset + bytes.count])
    }

    /// The members of an object; nil when absent.
    func optionalObject(_ index: Int, _ names: [StaticString]) throws(JSONError) -> JSONMembers? {
        switch values[index] {
        case .absent, .null: return nil
        case .object(let range): return try JSONMembers(UnsafeRawBufferPointer(rebasing: bytes[range]), names)
        default: throw JSONError("'\(self.names[index])' is not an object")
        }
    }

    /// The text of an object as it stands, checked for form; nil when absent.
    func optionalObjectText(_ index: Int) throws(JSONError) -> [UInt8]? {
        switch values[index] {
        case .absent, .null: return nil
        case .object(let range): return Array(bytes[range])
        default: throw JSONError("'\(names[index])' is not an object")
        }
    }

    /// Refuses anything but an array of strings or nothing.
    func requireStringsOrNothing(_ index: Int) throws(JSONError) {
        switch values[index] {
        case .absent, .null, .array(_, onlyStrings: true): return
        default: throw JSONError("'\(names[index])' is not an array of strings")
        }
    }

    /// A whole number written in digits; nil when absent.
    func optionalInteger<Number: FixedWidthInteger>(_ index: Int, as type: Number.Type) throws(JSONError) -> Number? {
        switch values[index] {
        case .absent, .null: return nil
        case .number(let range):
            guard let number = Number(String(decoding: bytes[range], as: UTF8.self)) else {
                throw JSONError("'\(names[index])' is not a whole number that fits")
            }
            return number
        default: throw JSONError("'\(names[index])' is not a number")
        }
    }

    /// A truth value; nil when absent.
    func optionalFlag(_ index: Int) throws(JSONError) -> Bool? {
        switch values[index] {
        case .absent, .null: return nil
        case .bool(let flag): return flag
        default: throw JSONError("'\(names[index])' is not true or false")
        }
    }

    /// An array of texts; nil when absent.
    func optionalTexts(_ index: Int, limit: Int = 1_000) throws(JSONError) -> [String]? {
        guard isPresent(index) else { return nil }
        return try elements(index, limit: limit, of: "strings") { value throws(JSONError) in
            guard case .string(let string) = value else { return nil }
            return string.text(in: bytes)
        }
    }

    /// The bytes of a text that is not escaped, as hexadecimal never is; nil when absent.
    func hexText(_ index: Int) throws(JSONError) -> UnsafeRawBufferPointer? {
        guard let string = try string(index) else { return nil }
        guard !string.isEscaped else { throw JSONError("'\(names[index])' is not hexadecimal") }
        return UnsafeRawBufferPointer(rebasing: bytes[string.range])
    }

    /// For messages.
    func name(_ index: Int) -> StaticString { names[index] }

    /// Whether the member is there and not `null`.
    func isPresent(_ index: Int) -> Bool {
        switch values[index] {
        case .absent, .null: false
        default: true
        }
    }

    private func string(_ index: Int) throws(JSONError) -> JSONString? {
        switch values[index] {
        case .absent, .null: return nil
        case .string(let string): return string
        default: throw JSONError("'\(names[index])' is not a string")
        }
    }

    private func missing(_ index: Int) -> JSONError { JSONError("'\(names[index])' is missing") }
}
