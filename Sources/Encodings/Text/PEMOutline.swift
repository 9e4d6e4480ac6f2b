/// Which blocks a PEM text (RFC 7468) has, or what else the bytes are: enough to say what is wrong with a file. Nothing of
/// a block's content is decoded or copied, so the bytes may be a secret.
package struct PEMOutline {
    package struct Block: Equatable {
        package var label: String
        /// From 1.
        package var line: Int
        /// Whether the line that ends it is there.
        package var isClosed: Bool
        /// With its first and last line, for whoever reads one block.
        package var range: Range<Int>
        /// Between them.
        package var content: Range<Int>
        /// Whether it says that it is encrypted, in the form before PKCS#8 (RFC 1421).
        package var isEncrypted: Bool
    }

    /// What the bytes are instead of lines that begin at the left margin.
    package enum Oddity: Equatable {
        case empty, byteOrderMark, utf16, der, indented, oneLine, bareBase64, somethingElse
    }

    package private(set) var blocks: [Block] = []
    /// Nil if there are blocks and nothing else is odd.
    package private(set) var oddity: Oddity?

    package init(_ bytes: UnsafeRawBufferPointer) {
        var (start, line) = (0, 0)
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            line += 1
            read(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), start..<min(end + 1, bytes.count), line)
            start = end + 1
        }
        if let last = blocks.indices.last, !blocks[last].isClosed {
            blocks[last].range = blocks[last].range.lowerBound..<bytes.count
            blocks[last].content = blocks[last].content.lowerBound..<bytes.count
        }
        oddity = Self.oddity(bytes, blocks)
    }

    private mutating func read(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ line: Int) {
        let trimmed = Self.withoutBlanksAtEnd(text)
        if let label = Self.label(trimmed, "-----BEGIN ") {
            blocks.append(
                Block(
                    label: label, line: line, isClosed: false, range: range,
                    content: range.upperBound..<range.upperBound,
                    isEncrypted: false))
            return
        }
        guard let last = blocks.indices.last, !blocks[last].isClosed else { return }
        if let label = Self.label(trimmed, "-----END "), label.isExactly(blocks[last].label) {
            blocks[last].isClosed = true
            blocks[last].range = blocks[last].range.lowerBound..<range.upperBound
            blocks[last].content = blocks[last].content.lowerBound..<range.lowerBound
        } else if trimmed.starts(with: "Proc-Type: 4,ENCRYPTED".utf8) {
            blocks[last].isEncrypted = true
        }
    }

    private static func label(_ line: Slice<UnsafeRawBufferPointer>, _ start: String) -> String? {
        let dashes = Array("-----".utf8)
        guard line.starts(with: start.utf8), line.count >= start.utf8.count + dashes.count,
            line.suffix(dashes.count).elementsEqual(dashes)
        else { return nil }
        let label = line.dropFirst(start.utf8.count).dropLast(dashes.count)
        guard label.count <= 64, label.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "-") }) else {
            return nil
        }
        return String(decoding: label, as: UTF8.self)
    }

    private static func withoutBlanksAtEnd(_ text: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer> {
        var rest = text[...]
        while let last = rest.last, last == 0x20 || last == 0x09 || last == 0x0D { rest = rest.dropLast() }
        return rest
    }

    private static func oddity(_ bytes: UnsafeRawBufferPointer, _ blocks: [Block]) -> Oddity? {
        if bytes.allSatisfy({ [0x20, 0x09, 0x0A, 0x0D].contains($0) }) { return .empty }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return .byteOrderMark }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) { return .utf16 }
        if let first = mark(in: bytes), !blocks.contains(where: { $0.range.contains(first) }) {
            if bytes[first...].containsRun(#"\n"#) { return .oneLine }
            let before = bytes[..<first]
            let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            if before[start...].allSatisfy({ $0 == 0x20 || $0 == 0x09 }), start < first { return .indented }
            return .oneLine
        }
        if !blocks.isEmpty { return nil }
        if bytes.count > 1, bytes[0] == 0x30, isWholeElement(bytes) { return .der }
        if bytes.contains(0), bytes.prefix(64).filter({ $0 == 0 }).count > 8 { return .utf16 }
        let isBase64 = bytes.allSatisfy {
            switch $0 {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="), 0x0A,
                0x0D:
                true
            default: false
            }
        }
        return isBase64 && bytes.starts(with: "MI".utf8) ? .bareBase64 : .somethingElse
    }

    /// Where the first line that begins a block would be.
    private static func mark(in bytes: UnsafeRawBufferPointer) -> Int? {
        bytes[...].firstRun("-----BEGIN ")
    }

    /// Whether one DER or BER element of definite length fills the bytes, a line break behind it aside.
    private static func isWholeElement(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let first = Int(bytes[1])
        if first < 0x80 { return bytes.count - 2 - first <= 2 && bytes.count >= 2 + first }
        let width = first - 0x80
        guard (1...4).contains(width), bytes.count > 2 + width else { return width == 0 }
        let length = bytes[2..<2 + width].reduce(0) { $0 << 8 | Int($1) }
        // One that was cut is DER as well.
        return length > bytes.count - 2 - width || bytes.count - 2 - width - length <= 2
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate func firstRun(_ text: String) -> Int? {
        let wanted = Array(text.utf8)
        guard count >= wanted.count else { return nil }
        return (startIndex...(endIndex - wanted.count)).first { self[$0..<$0 + wanted.count].elementsEqual(wanted) }
    }

    fileprivate func containsRun(_ text: String) -> Bool { firstRun(text) != nil }
}
