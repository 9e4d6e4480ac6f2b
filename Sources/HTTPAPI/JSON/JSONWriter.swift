import Encodings
import NIOCore
import SecretMemory

/// Writes one JSON object and a line feed into a buffer, members in the order of the calls.
///
/// Text is escaped as TrustBloc's server does: `<`, `>` and `&` too, so that an answer shown by a browser stays
/// text.
///
/// - Concurrency: a value.
struct JSONWriter {
    private(set) var buffer: ByteBuffer
    /// Whether byte strings are in the URL-safe alphabet, as the API's first generation wants them.
    private let urlSafe: Bool
    /// For each open object or array, whether it already has an element.
    private var needsComma: [Bool] = []

    init(capacity: Int = 256, urlSafe: Bool = false) {
        buffer = ByteBufferAllocator().buffer(capacity: capacity)
        self.urlSafe = urlSafe
    }

    /// Writes a whole object; the line feed follows.
    static func object(
        capacity: Int = 256, urlSafe: Bool = false, _ body: (inout JSONWriter) -> Void
    ) -> ByteBuffer {
        var writer = JSONWriter(capacity: capacity, urlSafe: urlSafe)
        writer.object(body)
        writer.buffer.writeInteger(UInt8(ascii: "\n"))
        return writer.buffer
    }

    /// Writes a whole array of objects; the line feed follows.
    static func array<Items: Sequence>(
        capacity: Int = 256, _ items: Items, _ body: (inout JSONWriter, Items.Element) -> Void
    ) -> ByteBuffer {
        var writer = JSONWriter(capacity: capacity)
        writer.elements(items) { writer, item in writer.object { body(&$0, item) } }
        writer.buffer.writeInteger(UInt8(ascii: "\n"))
        return writer.buffer
    }

    /// Writes a whole array of texts; the line feed follows.
    static func array(texts: [String]) -> ByteBuffer {
        var writer = JSONWriter()
        writer.elements(texts) { $0.string($1) }
        writer.buffer.writeInteger(UInt8(ascii: "\n"))
        return writer.buffer
    }

    /// Writes a text alone; the line feed follows.
    static func text(_ text: String) -> ByteBuffer {
        var writer = JSONWriter()
        writer.string(text)
        writer.buffer.writeInteger(UInt8(ascii: "\n"))
        return writer.buffer
    }

    // MARK: Members

    mutating func member(_ name: StaticString, _ text: String) {
        key(name)
        string(text)
    }

    /// Base64, or `null`.
    mutating func member(_ name: StaticString, bytes: [UInt8]?) {
        key(name)
        guard let bytes else {
            raw("null")
            return
        }
        bytes.withUnsafeBytes { base64($0) }
    }

    /// Base64 of a secret that its owner asked for, straight from locked memory.
    mutating func member(_ name: StaticString, secret: SharedSecret) {
        key(name)
        secret.withUnsafeBytes { base64($0) }
    }

    mutating func member(_ name: StaticString, _ number: some FixedWidthInteger) {
        key(name)
        buffer.writeString(String(number))
    }

    mutating func member(_ name: StaticString, _ flag: Bool) {
        key(name)
        raw(flag ? "true" : "false")
    }

    mutating func member(_ name: StaticString, object body: (inout JSONWriter) -> Void) {
        key(name)
        object(body)
    }

    mutating func member<Items: Sequence>(
        _ name: StaticString, array items: Items, _ body: (inout JSONWriter, Items.Element) -> Void
    ) {
        key(name)
        elements(items) { writer, item in writer.object { body(&$0, item) } }
    }

    mutating func member(_ name: StaticString, texts: [String]) {
        key(name)
        elements(texts) { $0.string($1) }
    }

    /// Hexadecimal of a secret that its owner asked for, straight from locked memory.
    mutating func member(_ name: StaticString, hexSecret secret: SharedSecret) {
        key(name)
        buffer.writeInteger(UInt8(ascii: "\""))
        secret.withUnsafeBytes { bytes in
            for byte in bytes {
                let (high, low) = SecretHexadecimal.digits(byte)
                buffer.writeInteger(high)
                buffer.writeInteger(low)
            }
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }

    // MARK: Pieces

    private mutating func elements<Items: Sequence>(
        _ items: Items, _ body: (inout JSONWriter, Items.Element) -> Void
    ) {
        buffer.writeInteger(UInt8(ascii: "["))
        var isFirst = true
        for item in items {
            if !isFirst { buffer.writeInteger(UInt8(ascii: ",")) }
            isFirst = false
            body(&self, item)
        }
        buffer.writeInteger(UInt8(ascii: "]"))
    }

    private mutating func base64(_ bytes: UnsafeRawBufferPointer) {
        buffer.writeInteger(UInt8(ascii: "\""))
        let form: Base64.Form = urlSafe ? .urlPadded : .standard
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Base64.encodedCount(bytes.count)) { output in
            Base64.encode(bytes, into: output, form)
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }

    private mutating func object(_ body: (inout JSONWriter) -> Void) {
        buffer.writeInteger(UInt8(ascii: "{"))
        needsComma.append(false)
        body(&self)
        needsComma.removeLast()
        buffer.writeInteger(UInt8(ascii: "}"))
    }

    private mutating func key(_ name: StaticString) {
        if needsComma[needsComma.count - 1] { buffer.writeInteger(UInt8(ascii: ",")) }
        needsComma[needsComma.count - 1] = true
        buffer.writeInteger(UInt8(ascii: "\""))
        raw(name)
        buffer.writeStaticString("\":")
    }

    private mutating func raw(_ text: StaticString) { buffer.writeStaticString(text) }

    private mutating func string(_ text: String) {
        buffer.writeInteger(UInt8(ascii: "\""))
        if text.utf8.allSatisfy({ Self.isPlain($0) }) {
            buffer.writeString(text)
        } else {
            for scalar in text.unicodeScalars { write(scalar) }
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x21, 0x23...0x25, 0x27...0x3b, 0x3d, 0x3f...0x5b, 0x5d...0x7e: true
        default: false
        }
    }

    private mutating func write(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": raw("\\\"")
        case "\\": raw("\\\\")
        case "\n": raw("\\n")
        case "\r": raw("\\r")
        case "\t": raw("\\t")
        // Beside what JSON and pages need: what would change the order of the text around it, or hide, on a terminal.
        case "\u{0}"..."\u{1f}", "<", ">", "&", "\u{7f}"..."\u{9f}", "\u{61c}", "\u{200b}"..."\u{200f}",
            "\u{2028}"..."\u{202e}", "\u{2060}"..."\u{206f}", "\u{feff}":
            let digits = String(scalar.value, radix: 16)
            buffer.writeString("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
        default: buffer.writeString(String(Character(scalar)))
        }
    }
}
