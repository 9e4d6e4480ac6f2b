/// Builds an unambiguous byte string from fields: each is preceded by its length, so no two lists of fields give the
/// same bytes.
///
/// Numbers are big-endian. A field's length is 4 bytes.
public struct RecordFields: Sendable {
    public private(set) var bytes: [UInt8]

    /// Begins with a label, itself a field.
    public init(_ label: Labels) {
        bytes = []
        append(label.bytes)
    }

    /// Appends the UTF-8 of `text`.
    public mutating func append(_ text: String) { append(Array(text.utf8)) }

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

    private mutating func appendBigEndian(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { bytes += $0 }
    }
}
