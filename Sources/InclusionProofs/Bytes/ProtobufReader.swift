/// Reads one protobuf message strictly: every field must be one that the caller knows, tags, lengths and numbers have
/// one spelling, and nothing may be left over. Google's readers keep what they do not know; inside a proof that would be
/// bytes that no check has seen.
///
/// Source: Protocol Buffers, Encoding.
struct ProtobufReader {
    enum Value {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private var rest: ArraySlice<UInt8>
    /// What is read, for messages.
    private let subject: StaticString

    init(_ bytes: ArraySlice<UInt8>, _ subject: StaticString) {
        rest = bytes
        self.subject = subject
    }

    /// The next field's number and value; nil at the end.
    mutating func next() throws(ProofError) -> (field: UInt64, value: Value)? {
        guard !rest.isEmpty else { return nil }
        let tag = try number()
        switch tag & 7 {
        case 0: return (tag >> 3, .number(try number()))
        case 2:
            let count = try number()
            guard count <= UInt64(rest.count) else { throw malformed("is cut off") }
            defer { rest = rest.dropFirst(Int(count)) }
            return (tag >> 3, .bytes(rest.prefix(Int(count))))
        default: throw malformed("has a field of a wire type that no proof has")
        }
    }

    /// A base-128 number in its shortest form, at most 64 bits.
    private mutating func number() throws(ProofError) -> UInt64 {
        guard let (value, count) = Varint.read(rest) else {
            throw malformed("has a number that is cut off or too long")
        }
        rest = rest.dropFirst(count)
        return value
    }

    func malformed(_ what: String) -> ProofError { .malformed("\(subject) \(what)") }
    func unknown(_ field: UInt64) -> ProofError { .malformed("\(subject) has field \(field), which is not known here") }
    func twice(_ field: UInt64) -> ProofError { .malformed("\(subject) has field \(field) twice") }
}

/// The fields of a message that occur at most once, collected and then asked for by number.
struct SingleFields {
    private var found: [UInt64: ProtobufReader.Value] = [:]

    /// - Parameter repeated: Called for the one field that may occur more than once.
    init(
        _ bytes: ArraySlice<UInt8>, _ subject: StaticString, known: ClosedRange<UInt64>,
        repeated: (field: UInt64, limit: Int, take: (ArraySlice<UInt8>) throws(ProofError) -> Void)? = nil
    ) throws(ProofError) {
        var reader = ProtobufReader(bytes, subject)
        var count = 0
        while let (field, value) = try reader.next() {
            if let repeated, field == repeated.field {
                guard case .bytes(let bytes) = value else { throw reader.unknown(field) }
                count += 1
                guard count <= repeated.limit else {
                    throw reader.malformed("has more than \(repeated.limit) of field \(field)")
                }
                try repeated.take(bytes)
                continue
            }
            guard known.contains(field) else { throw reader.unknown(field) }
            guard found.updateValue(value, forKey: field) == nil else { throw reader.twice(field) }
        }
    }

    /// The bytes of a field; none if it is absent, nil if it is a number.
    func bytes(_ field: UInt64) -> ArraySlice<UInt8>? {
        switch found[field] {
        case nil: []
        case .bytes(let bytes): bytes
        case .number: nil
        }
    }

    /// A number; 0 if it is absent, nil if it is bytes.
    func number(_ field: UInt64) -> UInt64? {
        switch found[field] {
        case nil: 0
        case .number(let number): number
        case .bytes: nil
        }
    }

    func has(_ field: UInt64) -> Bool { found[field] != nil }
}
