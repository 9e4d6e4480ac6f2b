/// A ciphertext of tfhe-rs or Concrete as it came in, with what it says about its blocks. Public data.
///
/// - Concurrency: immutable.
public struct Ciphertext: Sendable {
    /// One block: a mask of ``dimension`` words and a body, mod 2^64.
    struct Block: Sendable, Equatable {
        /// Where the mask begins in ``Ciphertext/bytes``; the body comes last.
        var words: BincodeReader.Words
        /// The largest value, carry included, that the block may hold.
        var degree: UInt64
        /// In units of fresh noise; 2^64 - 1 means unknown, nil that the format has none.
        var noiseLevel: UInt64?
        var messageModulus: UInt64
        var carryModulus: UInt64
        var order: KeyOrder
    }

    /// Bounds that hold for every format, checked before anything is reserved.
    enum Limit {
        static let bytes = 16 << 20
        static let wordsOfBlock: ClosedRange<UInt64> = 17...8194
        static let blocks: ClosedRange<UInt64> = 1...128
        static let tag: UInt64 = 1024
        static let arrayMembers: ClosedRange<UInt64> = 2...256
        /// Message modulus times carry modulus.
        static let plaintextSpace: UInt64 = 256
    }

    public let format: CiphertextFormat
    public let type: ValueType
    /// What the client attached; empty where the format has none.
    public let tag: [UInt8]
    /// Least significant first, alike in everything but words, degree and noise.
    let blocks: [Block]
    let bytes: [UInt8]

    init(_ format: CiphertextFormat, _ type: ValueType, tag: [UInt8], blocks: [Block], bytes: [UInt8]) {
        (self.format, self.type, self.tag, self.blocks, self.bytes) = (format, type, tag, blocks, bytes)
    }

    /// Reads a whole ciphertext.
    ///
    /// - Parameters:
    ///   - bytes: At most 16 MiB.
    ///   - format: What it must be in.
    ///   - type: What it must encrypt; the plain formats do not say whether a number is signed.
    /// - Throws: ``TFHEError``: `tfhe-format` names what was expected and what the bytes look like, `tfhe-malformed` and
    ///   `tfhe-unsupported` the field.
    public init(_ bytes: [UInt8], as format: CiphertextFormat, of type: ValueType) throws(TFHEError) {
        guard format != .concreteArray else {
            throw .unsupported("an array of Concrete holds several numbers; read it as an array")
        }
        if format == .raw04, type == .bool {
            throw .unsupported("FheBool of raw-0.4 is another scheme, with 32-bit words and a key of its own")
        }
        let body = try Self.lend(bytes) { pointer throws(TFHEError) in
            do throws(TFHEError) {
                var reader = CiphertextReader(pointer, format)
                let body = try reader.single(type)
                try reader.end()
                return body
            } catch {
                throw CiphertextReader.explained(error, pointer, expected: format)
            }
        }
        self.init(format, type, tag: body.tag, blocks: body.blocks, bytes: bytes)
    }

    /// Reads Concrete's array of two or more numbers (one alone is in `safe-0.5`).
    ///
    /// - Parameters:
    ///   - bytes: At most 16 MiB.
    ///   - type: A number; truth values have no arrays.
    ///   - count: How many it must hold, 2 to 256.
    /// - Throws: ``TFHEError``.
    public static func array(
        _ bytes: [UInt8], of type: ValueType, count: Int
    ) throws(TFHEError) -> [Ciphertext] {
        guard type != .bool else { throw .unsupported("Concrete writes no arrays of truth values") }
        guard count > 0, Limit.arrayMembers.contains(UInt64(count)) else {
            throw .unsupported("an array holds 2 to 256 numbers; a single one is in safe-0.5")
        }
        let bodies = try lend(bytes) { pointer throws(TFHEError) in
            do throws(TFHEError) {
                var reader = CiphertextReader(pointer, .concreteArray)
                return try reader.array(type, count: count)
            } catch {
                throw CiphertextReader.explained(error, pointer, expected: .concreteArray)
            }
        }
        return bodies.map { Ciphertext(.concreteArray, type, tag: $0.tag, blocks: $0.blocks, bytes: bytes) }
    }

    /// Words of the mask: the length of the key.
    public var dimension: Int { blocks[0].words.count - 1 }
    public var messageModulus: UInt64 { blocks[0].messageModulus }
    public var carryModulus: UInt64 { blocks[0].carryModulus }
    public var order: KeyOrder { blocks[0].order }
    public var blockCount: Int { blocks.count }

    private static func lend<R>(
        _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(TFHEError) -> R
    ) throws(TFHEError) -> R {
        guard bytes.count <= Limit.bytes else { throw .malformed("the ciphertext has more than 16 MiB") }
        return try bytes.withUnsafeBufferPointer { pointer throws(TFHEError) in
            try body(UnsafeRawBufferPointer(pointer))
        }
    }
}
