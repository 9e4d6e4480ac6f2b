/// Reads what Rust's bincode 1.3 writes by default, strictly: little-endian numbers of fixed width, every count checked
/// against its limit and against what is left before anything is reserved, and nothing left over at the end.
///
/// Source: bincode 1.3, "Serialization Specification"; tfhe-rs, `safe_serialization`.
struct BincodeReader {
    /// Where `count` words of eight bytes lie.
    struct Words: Equatable {
        var offset: Int
        var count: Int
    }

    private let bytes: UnsafeRawBufferPointer
    private(set) var position = 0
    /// What is read, for messages.
    private let subject: StaticString

    /// The buffer must outlive the reader.
    init(_ bytes: UnsafeRawBufferPointer, _ subject: StaticString) {
        self.bytes = bytes
        self.subject = subject
    }

    var remaining: Int { bytes.count - position }

    mutating func u8(_ part: StaticString) throws(TFHEError) -> UInt8 {
        try bytes[take(1, part)]
    }

    mutating func u32(_ part: StaticString) throws(TFHEError) -> UInt32 {
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: try take(4, part), as: UInt32.self))
    }

    mutating func u64(_ part: StaticString) throws(TFHEError) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: try take(8, part), as: UInt64.self))
    }

    mutating func skip(_ count: Int, _ part: StaticString) throws(TFHEError) {
        _ = try take(count, part)
    }

    /// A number that is a length: within `limits`.
    mutating func count(_ limits: ClosedRange<UInt64>, _ part: StaticString) throws(TFHEError) -> Int {
        let count = try u64(part)
        guard limits.contains(count) else {
            throw malformed("has a count of \(part) outside \(limits.lowerBound) to \(limits.upperBound)")
        }
        return Int(count)
    }

    /// A count and as many words; the words are not read.
    mutating func words(_ limits: ClosedRange<UInt64>, _ part: StaticString) throws(TFHEError) -> Words {
        let count = try count(limits, part)
        return Words(offset: try take(8 * count, part), count: count)
    }

    /// A count and as many bytes.
    mutating func bytes(limit: UInt64, _ part: StaticString) throws(TFHEError) -> [UInt8] {
        let count = try count(0...limit, part)
        let start = try take(count, part)
        return Array(bytes[start..<start + count])
    }

    /// A text of printable ASCII, at most 64 bytes: version numbers and the names of types.
    mutating func text(_ part: StaticString) throws(TFHEError) -> String {
        let bytes = try bytes(limit: 64, part)
        guard bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw malformed("has no text as \(part)") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The ciphertext modulus of every accepted format: the native one, 2^64, written as 0 and 64 bits.
    mutating func nativeModulus(versioned: Bool) throws(TFHEError) {
        if versioned { try version(0, "ciphertext modulus") }
        let (low, high) = (try u64("ciphertext modulus"), try u64("ciphertext modulus"))
        let bits = try u64("bits of the modulus")
        guard low == 0, high == 0, bits == 64 else {
            throw .unsupported("the \(subject) has another ciphertext modulus than 2^64")
        }
    }

    /// The index that stands before every versioned type.
    ///
    /// - Returns: The one of `expected` that was found.
    @discardableResult
    mutating func version(_ expected: ClosedRange<UInt32>, _ part: StaticString) throws(TFHEError) -> UInt32 {
        let found = try u32(part)
        guard expected.contains(found) else {
            let range =
                expected.count == 1
                ? "\(expected.lowerBound)" : "\(expected.lowerBound) to \(expected.upperBound)"
            throw .format("the \(subject) has version \(found) of \(part); expected \(range)")
        }
        return found
    }

    mutating func version(_ expected: UInt32, _ part: StaticString) throws(TFHEError) {
        try version(expected...expected, part)
    }

    /// Succeeds if nothing is left over.
    func end() throws(TFHEError) {
        guard remaining == 0 else { throw malformed("has \(remaining) bytes too many") }
    }

    func malformed(_ what: String) -> TFHEError { .malformed("the \(subject) \(what)") }

    private mutating func take(_ count: Int, _ part: StaticString) throws(TFHEError) -> Int {
        guard count <= remaining else { throw malformed("is cut off in: \(part)") }
        defer { position += count }
        return position
    }
}
