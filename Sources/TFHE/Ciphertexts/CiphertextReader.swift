/// Reads ciphertexts of every format. The formats differ in which fields a block has, in version indices before every
/// type, and in what follows the blocks.
///
/// Source: tfhe-rs 0.4.1, 0.6.1 and 1.6.2, `shortint::Ciphertext` and the types around it.
struct CiphertextReader {
    struct Body {
        var blocks: [Ciphertext.Block]
        var tag: [UInt8] = []
    }

    private typealias Limit = Ciphertext.Limit

    private var reader: BincodeReader
    private let format: CiphertextFormat

    init(_ bytes: UnsafeRawBufferPointer, _ format: CiphertextFormat) {
        reader = BincodeReader(bytes, "ciphertext")
        self.format = format
    }

    func end() throws(TFHEError) { try reader.end() }

    mutating func single(_ type: ValueType) throws(TFHEError) -> Body {
        switch format {
        case .raw04, .raw06: return Body(blocks: try blocks(type))
        case .safe03:
            try SafeHeader.read(&reader, .v03, name: type.wireName)
            return Body(blocks: try blocks(type))
        case .raw1:
            let blocks = try blocks(type)
            let tag = try reader.bytes(limit: Limit.tag, "tag")
            try noRerandomisation()
            return Body(blocks: blocks, tag: tag)
        case .safe05: return try versioned(type)
        case .concreteArray: return try member(type)
        }
    }

    mutating func array(_ type: ValueType, count: Int) throws(TFHEError) -> [Body] {
        let found = try reader.count(Limit.arrayMembers, "numbers of an array")
        guard found == count else { throw .unfit("the array holds \(found) numbers; expected \(count)") }
        var bodies: [Body] = []
        for _ in 0..<count { bodies.append(try member(type)) }
        try end()
        return bodies
    }

    private mutating func member(_ type: ValueType) throws(TFHEError) -> Body {
        let blocks = try blocks(type)
        return Body(blocks: blocks, tag: try reader.bytes(limit: Limit.tag, "tag"))
    }

    /// The tree of tfhe-rs 1.x: a version index before each type.
    private mutating func versioned(_ type: ValueType) throws(TFHEError) -> Body {
        try SafeHeader.read(&reader, .v05, name: type.wireName)
        let outer = try reader.version(1...2, "the high-level type")
        // Version of the inner type, then which device it was on: only the processor's are written.
        try reader.version(0, "the inner type")
        try reader.version(0, "the list of blocks")
        let blocks = try blocks(type)
        try reader.version(0, "the tag")
        let tag = try reader.bytes(limit: Limit.tag, "tag")
        if outer == 2 {
            try reader.version(0, "the re-randomisation list")
            try noRerandomisation()
        }
        return Body(blocks: blocks, tag: tag)
    }

    private mutating func noRerandomisation() throws(TFHEError) {
        guard try reader.u64("re-randomisation list") == 0 else {
            throw .unsupported("the ciphertext carries re-randomisation metadata, which is not read")
        }
    }

    private mutating func blocks(_ type: ValueType) throws(TFHEError) -> [Ciphertext.Block] {
        let count = type == .bool ? 1 : try reader.count(Limit.blocks, "blocks")
        var blocks: [Ciphertext.Block] = []
        for _ in 0..<count {
            let block = try block()
            if let first = blocks.first {
                guard first.words.count == block.words.count, first.messageModulus == block.messageModulus,
                    first.carryModulus == block.carryModulus, first.order == block.order
                else { throw reader.malformed("has blocks of different parameters") }
            }
            blocks.append(block)
        }
        let expected = try type.blockCount(messageModulus: blocks[0].messageModulus)
        guard count == expected else {
            throw .unfit("\(type) takes \(expected) blocks of this message modulus; the ciphertext has \(count)")
        }
        return blocks
    }

    private mutating func block() throws(TFHEError) -> Ciphertext.Block {
        let versioned = format == .safe05
        let hasPattern = try versioned ? reader.version(0...1, "the block") == 1 : format == .raw1
        if versioned { try reader.version(0, "the LWE ciphertext") }
        let words = try reader.words(Limit.wordsOfBlock, "words of a block")
        try reader.nativeModulus(versioned: versioned)
        let degree = try field("degree", versioned)
        let noise = format == .raw04 ? nil : try field("noise level", versioned)
        let message = try field("message modulus", versioned)
        let carry = try field("carry modulus", versioned)
        guard KeyParameters.isPlaintextSpace(message: message, carry: carry) else {
            throw reader.malformed("has a message or carry modulus that no parameter set has")
        }
        guard degree < message * carry else { throw reader.malformed("has a degree that its blocks cannot hold") }
        if hasPattern { try standardPattern(versioned) }
        if versioned { try reader.version(0, "the order of operations") }
        guard let order = KeyOrder(rawValue: try reader.u32("order of operations")) else {
            throw reader.malformed("has an order of operations that is neither 0 nor 1")
        }
        return Ciphertext.Block(
            words: words, degree: degree, noiseLevel: noise, messageModulus: message, carryModulus: carry, order: order)
    }

    private mutating func field(_ name: StaticString, _ versioned: Bool) throws(TFHEError) -> UInt64 {
        if versioned { try reader.version(0, name) }
        return try reader.u64(name)
    }

    private mutating func standardPattern(_ versioned: Bool) throws(TFHEError) {
        if versioned { try reader.version(0, "the atomic pattern") }
        guard try reader.u32("atomic pattern") == 0 else {
            throw .unsupported("the ciphertext has another atomic pattern than the standard one")
        }
    }
}
