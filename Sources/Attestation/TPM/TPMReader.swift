/// Reads what a TPM marshals (TPM 2.0 Library part 2, section 4: big-endian, sized buffers with a 16-bit length), never
/// beyond its end.
struct TPMReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private mutating func take(_ count: Int) throws(AttestationFinding) -> ArraySlice<UInt8> {
        guard count <= bytes.count - position else { throw .form("it ends too early") }
        defer { position += count }
        return bytes[position..<(position + count)]
    }

    mutating func byte() throws(AttestationFinding) -> UInt8 { UInt8(try number(1)) }

    mutating func short() throws(AttestationFinding) -> UInt16 { UInt16(try number(2)) }

    mutating func word() throws(AttestationFinding) -> UInt32 { UInt32(try number(4)) }

    mutating func long() throws(AttestationFinding) -> UInt64 { try number(8) }

    private mutating func number(_ count: Int) throws(AttestationFinding) -> UInt64 {
        try take(count).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// `TPM2B_…`.
    mutating func sized(upTo limit: Int) throws(AttestationFinding) -> [UInt8] {
        let count = Int(try short())
        guard count <= limit else { throw .form("a part of it is longer than \(limit) bytes") }
        return Array(try take(count))
    }

    func end() throws(AttestationFinding) {
        guard position == bytes.count else { throw .form("something follows it") }
    }
}
