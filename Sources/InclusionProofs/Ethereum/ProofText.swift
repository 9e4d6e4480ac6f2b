/// Reads the JSON of `eth_getProof` strictly: objects, arrays and plain strings, no member twice, nothing behind the end.
///
/// Numbers, escapes and `null` do not occur in it and are refused.
///
/// Source: RFC 8259; EIP-1186.
struct ProofText {
    indirect enum Value: Equatable {
        case text([UInt8])
        case array([Value])
        case object([(name: [UInt8], value: Value)])

        static func == (left: Value, right: Value) -> Bool {
            switch (left, right) {
            case (.text(let left), .text(let right)): left == right
            case (.array(let left), .array(let right)): left == right
            case (.object(let left), .object(let right)):
                left.count == right.count
                    && zip(left, right).allSatisfy { $0.name == $1.name && $0.value == $1.value }
            default: false
            }
        }
    }

    private var rest: ArraySlice<UInt8>
    private static let maximumDepth = 6
    private static let maximumItems = 256

    static func read(_ bytes: ArraySlice<UInt8>) throws(ProofError) -> Value {
        var text = ProofText(rest: bytes)
        let value = try text.value(depth: 0)
        text.skipBlanks()
        guard text.rest.isEmpty else { throw malformed("has something behind its end") }
        return value
    }

    private mutating func value(depth: Int) throws(ProofError) -> Value {
        guard depth < Self.maximumDepth else { throw Self.malformed("is too deep") }
        skipBlanks()
        switch rest.first {
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "["):
            var items: [Value] = []
            try sequence(to: UInt8(ascii: "]")) { (text) throws(ProofError) in
                guard items.count < Self.maximumItems else { throw Self.malformed("has an array that is too long") }
                items.append(try text.value(depth: depth + 1))
            }
            return .array(items)
        case UInt8(ascii: "{"):
            var members: [(name: [UInt8], value: Value)] = []
            try sequence(to: UInt8(ascii: "}")) { (text) throws(ProofError) in
                text.skipBlanks()
                let name = try text.string()
                guard !members.contains(where: { $0.name == name }) else {
                    throw Self.malformed("has a member twice")
                }
                guard members.count < Self.maximumItems else { throw Self.malformed("has too many members") }
                try text.expect(UInt8(ascii: ":"))
                members.append((name, try text.value(depth: depth + 1)))
            }
            return .object(members)
        default: throw Self.malformed("has a value that is neither text, array nor object")
        }
    }

    private mutating func sequence(
        to end: UInt8, _ item: (inout ProofText) throws(ProofError) -> Void
    ) throws(ProofError) {
        rest = rest.dropFirst()
        skipBlanks()
        if rest.first == end {
            rest = rest.dropFirst()
            return
        }
        while true {
            try item(&self)
            skipBlanks()
            guard let next = rest.popFirst() else { throw Self.malformed("is cut off") }
            if next == end { return }
            guard next == UInt8(ascii: ",") else { throw Self.malformed("lacks a comma") }
        }
    }

    private mutating func string() throws(ProofError) -> [UInt8] {
        try expect(UInt8(ascii: "\""))
        guard let end = rest.firstIndex(of: UInt8(ascii: "\"")) else { throw Self.malformed("is cut off") }
        let text = rest[..<end]
        guard text.allSatisfy({ (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }) else {
            throw Self.malformed("has a text of other characters than its own")
        }
        rest = rest[(end + 1)...]
        return Array(text)
    }

    private mutating func expect(_ byte: UInt8) throws(ProofError) {
        skipBlanks()
        guard rest.popFirst() == byte else { throw Self.malformed("is no JSON") }
    }

    private mutating func skipBlanks() {
        rest = rest.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    }

    static func malformed(_ what: String) -> ProofError { .malformed("the JSON of eth_getProof \(what)") }
}

extension ProofText.Value {
    /// The members of an object: all that are needed, and none besides what may be there.
    func members(needed: [String], allowed: [String] = []) throws(ProofError) -> [[UInt8]: ProofText.Value] {
        guard case .object(let members) = self else { throw ProofText.malformed("has no object where one must be") }
        let names = (needed + allowed).map { Array($0.utf8) }
        guard members.allSatisfy({ names.contains($0.name) }) else {
            throw ProofText.malformed("has a member that is not known here")
        }
        let found = Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.value) })
        guard needed.allSatisfy({ found[Array($0.utf8)] != nil }) else { throw ProofText.malformed("lacks a member") }
        return found
    }

    /// 0x and pairs of hexadecimal digits.
    func data() throws(ProofError) -> [UInt8] {
        let digits = try self.digits()
        guard digits.count % 2 == 0 else { throw ProofText.malformed("has half a byte") }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// A number of at most 32 bytes, as a word: a quantity, or all 32 bytes.
    func word() throws(ProofError) -> [UInt8] {
        let digits = try self.digits()
        guard (1...64).contains(digits.count), digits.count == 64 || digits.count == 1 || digits[0] != 0 else {
            throw ProofText.malformed("has a number of another form")
        }
        let all = [UInt8](repeating: 0, count: 64 - digits.count) + digits
        return stride(from: 0, to: 64, by: 2).map { all[$0] << 4 | all[$0 + 1] }
    }

    func items() throws(ProofError) -> [ProofText.Value] {
        guard case .array(let items) = self else { throw ProofText.malformed("has no array where one must be") }
        return items
    }

    private func digits() throws(ProofError) -> [UInt8] {
        guard case .text(let text) = self, text.starts(with: Array("0x".utf8)) else {
            throw ProofText.malformed("has a value that is no hexadecimal text")
        }
        var digits: [UInt8] = []
        for byte in text.dropFirst(2) {
            switch byte {
            case 0x30...0x39: digits.append(byte - 0x30)
            case 0x41...0x46: digits.append(byte - 0x41 + 10)
            case 0x61...0x66: digits.append(byte - 0x61 + 10)
            default: throw ProofText.malformed("has a value that is no hexadecimal text")
            }
        }
        return digits
    }
}
