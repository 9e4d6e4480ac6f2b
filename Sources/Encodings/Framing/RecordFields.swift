/// Builds an unambiguous byte string from fields: each is preceded by its length, so no two lists of fields give the
/// same bytes.
///
/// Numbers are big-endian. A field's length is 4 bytes.
public struct RecordFields: Sendable {
    public private(set) var bytes: [UInt8]

    /// Begins with a label, itself a field.
    ///
    /// - Parameter capacity: In bytes; an expectation, not a limit.
    public init(_ label: Labels, capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
        append(label.rawValue)
    }

    /// Appends the UTF-8 of `text`.
    public mutating func append(_ text: String) {
        let length = text.utf8.count
        precondition(length <= Int(UInt32.max), "a field is shorter than 4 GiB")
        appendBigEndian(UInt32(length))
        bytes.append(contentsOf: text.utf8)
    }

    /// Begins without a label: a part that is only ever appended to fields that have one.
    public init(capacity: Int) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Appends a part.
    public mutating func append(_ part: RecordFields) { bytes += part.bytes }

    public mutating func append(_ field: [UInt8]) {
        precondition(field.count <= Int(UInt32.max), "a field is shorter than 4 GiB")
        appendBigEndian(UInt32(field.count))
        bytes += field
    }

    /// Appends an 8-byte field.
    public mutating func append(_ number: UInt64) {
        appendBigEndian(UInt32(8))
        appendBigEndian(number)
    }

    /// Appends a field that may be absent: absent is one 0 byte, present is a 1 byte and the field.
    public mutating func append(optional field: [UInt8]?) {
        append(field.map { [1] + $0 } ?? [0])
    }

    /// Appends a field that is one byte and what follows it.
    public mutating func append(_ first: UInt8, _ rest: UnsafeRawBufferPointer) {
        precondition(rest.count < Int(UInt32.max), "a field is shorter than 4 GiB")
        appendBigEndian(UInt32(rest.count + 1))
        bytes.append(first)
        bytes += rest
    }

    private mutating func appendBigEndian(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { bytes += $0 }
    }
}
