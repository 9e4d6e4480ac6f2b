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

    init(_ bytes: UnsafeRawBufferPointer, _ names: [StaticString]) throws(JSONError) {
        var scanner = JSONScanner(bytes)
        values = try scanner.scan(names)
        self.names = names
        self.bytes = bytes
    }

    /// A byte string; nil when absent.
    func optionalBytes(_ index: Int) throws(JSONError) -> [UInt8]? {
        guard let string = try string(index) else { return nil }
        let decoded: [UInt8]?
        if string.isEscaped {
            decoded = string.unescaped(in: bytes).withUnsafeBytes { Base64.decode($0) }
        } else {
            decoded = Base64.decode(UnsafeRawBufferPointer(rebasing: bytes[string.range]))
        }
        guard let decoded else { throw JSONError("'\(names[index])' is not base64") }
        return decoded
    }

    /// A byte string that must be there; it may be empty.
    func bytes(_ index: Int) throws(JSONError) -> [UInt8] {
        guard let value = try optionalBytes(index) else { throw missing(index) }
        return value
    }

    /// A text; nil when absent.
    func optionalText(_ index: Int) throws(JSONError) -> String? {
        guard let string = try string(index) else { return nil }
        if string.isEscaped { return String(decoding: string.unescaped(in: bytes), as: UTF8.self) }
        return String(decoding: bytes[string.range], as: UTF8.self)
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
        guard let secret = try Base64.decodeSecret(UnsafeRawBufferPointer(rebasing: bytes[range])) else {
            throw JSONError("'\(names[index])' is not base64")
        }
        return secret
    }

    /// The members of an object; nil when absent.
    func optionalObject(_ index: Int, _ names: [StaticString]) throws(JSONError) -> JSONMembers? {
        switch values[index] {
        case .absent, .null: return nil
        case .object(let range): return try JSONMembers(UnsafeRawBufferPointer(rebasing: bytes[range]), names)
        default: throw JSONError("'\(self.names[index])' is not an object")
        }
    }

    /// Refuses anything but an array of strings or nothing.
    func requireStringsOrNothing(_ index: Int) throws(JSONError) {
        switch values[index] {
        case .absent, .null, .array(_, onlyStrings: true): return
        default: throw JSONError("'\(names[index])' is not an array of strings")
        }
    }

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
