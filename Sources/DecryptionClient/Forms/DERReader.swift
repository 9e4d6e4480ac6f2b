import SecretMemory

/// Reads the DER that generations GA and GB write: whole, in the shortest form, and nothing else.
///
/// It reads a secret in place: over ``UnsafeRawBufferPointer``, within the closure that lends it.
///
/// Source: X.690, section 10.
struct DERReader<Bytes: RandomAccessCollection> where Bytes.Element == UInt8, Bytes.SubSequence == Bytes {
    private var rest: Bytes

    init(_ bytes: Bytes) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    /// The content of the next element.
    mutating func next(_ tag: DERTag) throws(ClientError) -> Bytes {
        guard rest.first == tag.rawValue, let first = rest.dropFirst().first else { throw Self.malformed }
        rest = rest.dropFirst(2)
        var length = Int(first)
        if first >= 0x80 {
            let count = Int(first & 0x7F)
            guard 1...4 ~= count, rest.count >= count, rest.first != 0 else { throw Self.malformed }
            length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            guard length >= 0x80 else { throw Self.malformed }
            rest = rest.dropFirst(count)
        }
        guard rest.count >= length else { throw Self.malformed }
        defer { rest = rest.dropFirst(length) }
        return rest.prefix(length)
    }

    mutating func sequence() throws(ClientError) -> DERReader { DERReader(try next(.sequence)) }

    /// A non-negative number's digits, big-endian.
    mutating func number() throws(ClientError) -> [UInt8] {
        let content = try next(.integer)
        guard let first = content.first, first < 0x80 else { throw Self.malformed }
        guard first == 0, content.count > 1 else { return Array(content) }
        let digits = content.dropFirst()
        guard let second = digits.first, second >= 0x80 else { throw Self.malformed }
        return Array(digits)
    }

    /// Bytes that are written as one number each.
    mutating func vector() throws(ClientError) -> [UInt8] {
        var numbers = try sequence()
        var bytes: [UInt8] = []
        while !numbers.isAtEnd { bytes.append(try numbers.byte()) }
        return bytes
    }

    /// The same for a secret.
    mutating func secretVector() throws(ClientError) -> SharedSecret {
        let content = try next(.sequence)
        do {
            return SharedSecret(
                // No number takes less than 3 bytes.
                try SecretBytes.make(capacity: content.count / 3) { output in
                    var numbers = DERReader(content)
                    var count = 0
                    while !numbers.isAtEnd {
                        output[count] = try numbers.byte()
                        count += 1
                    }
                    return count
                })
        } catch let error as ClientError { throw error } catch { throw ClientError.noMemory }
    }

    /// A number below 256.
    private mutating func byte() throws(ClientError) -> UInt8 {
        let content = try next(.integer)
        guard let first = content.first, let last = content.last else { throw Self.malformed }
        guard content.count == 1 ? first < 0x80 : content.count == 2 && first == 0 && last >= 0x80 else {
            throw Self.malformed
        }
        return last
    }

    mutating func octets(_ count: Int) throws(ClientError) -> [UInt8] {
        let content = try next(.octets)
        guard content.count == count else { throw Self.malformed }
        return Array(content)
    }

    /// The number of a type: four bytes, little-endian.
    mutating func type() throws(ClientError) -> UInt32 {
        try octets(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    func end() throws(ClientError) { if !isAtEnd { throw Self.malformed } }

    private static var malformed: ClientError {
        ClientError("malformed-answer", "the answer is not in the DER that its service writes")
    }
}

/// Which elements there are.
enum DERTag: UInt8 {
    case integer = 0x02
    case octets = 0x04
    case sequence = 0x30
}
