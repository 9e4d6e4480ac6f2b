/// Tags of the few ASN.1 types that keys and signatures need.
enum DERTag {
    static let boolean: UInt8 = 0x01
    static let integer: UInt8 = 0x02
    static let bitString: UInt8 = 0x03
    static let octetString: UInt8 = 0x04
    static let null: UInt8 = 0x05
    static let objectIdentifier: UInt8 = 0x06
    static let sequence: UInt8 = 0x30
    static func constructed(_ number: UInt8) -> UInt8 { 0xA0 | number }
    static func primitive(_ number: UInt8) -> UInt8 { 0x80 | number }
}

/// Reads DER (X.690 §10), and nothing that is only BER: lengths are definite and minimal.
///
/// It holds no copy; it is valid while the buffer it was made from is lent.
struct DERReader {
    private(set) var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    /// The content of the next element if it has this tag and a good length, else nil; a nil reads nothing.
    mutating func read(_ tag: UInt8) -> UnsafeRawBufferPointer? {
        guard rest.count >= 2, rest[0] == tag else { return nil }
        var header = 2
        var length = Int(rest[1])
        if length >= 0x80 {
            let width = length - 0x80
            // Two bytes of length cover every structure read here; 0x80 alone is BER's indefinite form.
            guard width == 1 || width == 2, rest.count >= 2 + width else { return nil }
            header += width
            length = width == 1 ? Int(rest[2]) : Int(rest[2]) << 8 | Int(rest[3])
            guard length >= (width == 1 ? 0x80 : 0x100) else { return nil }
        }
        guard rest.count - header >= length else { return nil }
        let content = UnsafeRawBufferPointer(rebasing: rest[header..<header + length])
        rest = UnsafeRawBufferPointer(rebasing: rest[(header + length)...])
        return content
    }

    /// Whether the next element has this tag.
    func isNext(_ tag: UInt8) -> Bool { rest.first == tag }
}

/// Writes DER for public values.
enum DERWriter {
    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        precondition(content.count < 1 << 16, "only short structures are written")
        var header = [tag]
        if content.count < 0x80 {
            header.append(UInt8(content.count))
        } else if content.count < 0x100 {
            header += [0x81, UInt8(content.count)]
        } else {
            header += [0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)]
        }
        return header + content
    }

    /// A non-negative INTEGER from big-endian bytes of any width.
    static func integer(_ bigEndian: ArraySlice<UInt8>) -> [UInt8] {
        var digits = bigEndian.drop { $0 == 0 }
        if digits.isEmpty || digits[digits.startIndex] >= 0x80 { digits = [0] + digits }
        return element(DERTag.integer, Array(digits))
    }
}
