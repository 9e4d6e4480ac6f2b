import LibCrypto
public import SecretMemory

/// The DER that the KMS of 2023 and 2024 signed and hashed. A vector of bytes is a SEQUENCE of one INTEGER for each byte,
/// keys and signatures are OCTET STRINGs.
///
/// A form with a secret in it is written into locked memory only. Its length tells how many of the secret's bytes are above
/// 127, which is how this DER is.
///
/// Source: X.690; the rules of the serialiser were found on recorded data.
public indirect enum WireDER: Sendable {
    case vector([UInt8])
    /// A non-negative number, big-endian, of any length.
    case number([UInt8])
    case text(String)
    case octets([UInt8])
    case sequence([WireDER])
    case secretVector(SharedSecret)
    /// Little-endian, as values are decrypted.
    case secretNumber(SharedSecret)

    public static func number(_ value: UInt64) -> WireDER {
        .number(withUnsafeBytes(of: value.bigEndian) { Array($0) })
    }

    /// The number of a type as the generations write it: four bytes, little-endian.
    static func type(_ number: UInt32) -> WireDER {
        .octets(withUnsafeBytes(of: number.littleEndian) { Array($0) })
    }

    /// Of a form without a secret.
    public var encoded: [UInt8] {
        precondition(!holdsSecret, "a secret is written into locked memory")
        return [UInt8](unsafeUninitializedCapacity: length) { output, count in
            var rest = UnsafeMutableRawBufferPointer(output)
            write(to: &rest)
            count = output.count - rest.count
        }
    }

    /// Of any form.
    public func secretlyEncoded() throws(SecretMemoryError) -> SecretBytes {
        do {
            return try SecretBytes.make(count: length) { output in
                var rest = output
                write(to: &rest)
            }
        } catch let error as SecretMemoryError { throw error } catch { preconditionFailure("nothing else is thrown") }
    }

    private var holdsSecret: Bool {
        switch self {
        case .vector, .number, .text, .octets: false
        case .sequence(let parts): parts.contains { $0.holdsSecret }
        case .secretVector, .secretNumber: true
        }
    }

    private var length: Int {
        let content = contentLength
        return 1 + Self.lengthBytes(content).count + content
    }

    private var contentLength: Int {
        switch self {
        case .vector(let bytes): bytes.withUnsafeBytes { Self.vectorLength($0) }
        case .number(let bytes): Self.minimal(bytes).count
        case .text(let text): text.utf8.count
        case .octets(let bytes): bytes.count
        case .sequence(let parts): parts.reduce(0) { $0 + $1.length }
        case .secretVector(let secret): secret.withUnsafeBytes { Self.vectorLength($0) }
        case .secretNumber(let secret): secret.withUnsafeBytes { Self.numberLength($0) }
        }
    }

    private func write(to output: inout UnsafeMutableRawBufferPointer) {
        let tag: UInt8 =
            switch self {
            case .vector, .sequence, .secretVector: 0x30
            case .number, .secretNumber: 0x02
            case .text: 0x0C
            case .octets: 0x04
            }
        Self.put([tag], to: &output)
        Self.put(Self.lengthBytes(contentLength), to: &output)
        switch self {
        case .vector(let bytes): bytes.withUnsafeBytes { Self.putIntegers($0, to: &output) }
        case .number(let bytes): Self.put(Self.minimal(bytes), to: &output)
        case .text(let text): Self.put(Array(text.utf8), to: &output)
        case .octets(let bytes): Self.put(bytes, to: &output)
        case .sequence(let parts): for part in parts { part.write(to: &output) }
        case .secretVector(let secret): secret.withUnsafeBytes { Self.putIntegers($0, to: &output) }
        case .secretNumber(let secret):
            secret.withUnsafeBytes { secret in
                let count = Self.numberLength(secret)
                for place in 0..<count {
                    let index = count - 1 - place
                    output[place] = index < secret.count ? secret[index] : 0
                }
                output = UnsafeMutableRawBufferPointer(rebasing: output[count...])
            }
        }
    }

    private static func put(_ bytes: [UInt8], to output: inout UnsafeMutableRawBufferPointer) {
        output.copyBytes(from: bytes)
        output = UnsafeMutableRawBufferPointer(rebasing: output[bytes.count...])
    }

    /// SHA3-256 of `bytes` written as a vector; the vector itself is never in memory.
    static func digest(ofVector bytes: [UInt8]) throws(LibCryptoError) -> [UInt8] {
        var digest = try RunningDigest.begin(.sha3of256)
        try digest.update([0x30] + lengthBytes(bytes.withUnsafeBytes { vectorLength($0) }))
        var rest = bytes[...]
        while !rest.isEmpty {
            try digest.update(integers(rest.prefix(8_192)))
            rest = rest.dropFirst(8_192)
        }
        return try digest.finish()
    }

    private static func integers(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 4 * bytes.count) { output, count in
            var rest = UnsafeMutableRawBufferPointer(output)
            bytes.withUnsafeBytes { putIntegers($0, to: &rest) }
            count = output.count - rest.count
        }
    }

    /// One INTEGER for each byte. Half a megabyte comes through here, so it is written without a branch.
    private static func putIntegers(_ bytes: UnsafeRawBufferPointer, to output: inout UnsafeMutableRawBufferPointer) {
        var place = 0
        for byte in bytes {
            let isLong = byte >> 7
            output[place] = 0x02
            output[place + 1] = 1 + isLong
            // A nought before a byte that would be negative; else the byte itself, twice in one place.
            output[place + 2] = byte & (isLong &- 1)
            output[place + 2 + Int(isLong)] = byte
            place += 3 + Int(isLong)
        }
        output = UnsafeMutableRawBufferPointer(rebasing: output[place...])
    }

    private static func vectorLength(_ bytes: UnsafeRawBufferPointer) -> Int {
        bytes.reduce(3 * bytes.count) { $0 + Int($1 >> 7) }
    }

    /// Bytes of a little-endian number in its shortest form.
    private static func numberLength(_ bytes: UnsafeRawBufferPointer) -> Int {
        var count = bytes.count
        while count > 0, bytes[count - 1] == 0 { count -= 1 }
        guard count > 0 else { return 1 }
        return count + Int(bytes[count - 1] >> 7)
    }

    private static func minimal(_ bytes: [UInt8]) -> [UInt8] {
        let digits = bytes.drop { $0 == 0 }
        guard let first = digits.first else { return [0] }
        return (first < 0x80 ? [] : [0]) + digits
    }

    private static func lengthBytes(_ length: Int) -> [UInt8] {
        guard length >= 0x80 else { return [UInt8(length)] }
        let bytes = withUnsafeBytes(of: UInt64(length).bigEndian) { Array($0.drop { $0 == 0 }) }
        return [0x80 | UInt8(bytes.count)] + bytes
    }
}
