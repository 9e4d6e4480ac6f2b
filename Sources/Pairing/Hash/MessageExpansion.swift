/// expand_message_xmd of RFC 9380 section 5.3.1.
enum MessageExpansion {
    enum HashFunction {
        case sha256
        case blake2b512

        var blockSize: Int {
            switch self {
            case .sha256: SHA256.blockSize
            case .blake2b512: BLAKE2b.blockSize
            }
        }

        var outputSize: Int {
            switch self {
            case .sha256: SHA256.outputSize
            case .blake2b512: 64
            }
        }

        func hash(_ bytes: [UInt8]) -> [UInt8] {
            switch self {
            case .sha256: SHA256.hash(bytes)
            case .blake2b512: BLAKE2b.hash(bytes, outputLength: 64)
            }
        }
    }

    /// - Parameter tag: any length but 0; tags over 255 bytes are hashed as section 5.3.3 says.
    /// - Throws: `.invalidHashInput` for an empty tag, or more than 255 blocks of output.
    static func xmd(
        _ message: [UInt8], tag: [UInt8], count: Int, hash: HashFunction
    ) throws(PairingError) -> [UInt8] {
        let blocks = (count + hash.outputSize - 1) / hash.outputSize
        guard !tag.isEmpty, blocks <= 255, count <= 65535 else { throw .invalidHashInput }
        let shortTag = tag.count > 255 ? hash.hash(Array("H2C-OVERSIZE-DST-".utf8) + tag) : tag
        let suffix = shortTag + [UInt8(shortTag.count)]
        let length = [UInt8(count >> 8), UInt8(count & 0xff)]
        let first = hash.hash([UInt8](repeating: 0, count: hash.blockSize) + message + length + [0] + suffix)
        var block = [UInt8](repeating: 0, count: hash.outputSize)
        var output: [UInt8] = []
        for index in 0..<blocks {
            let mixed = zip(first, block).map { $0 ^ $1 }
            block = hash.hash(mixed + [UInt8(index + 1)] + suffix)
            output += block
        }
        return Array(output.prefix(count))
    }
}
