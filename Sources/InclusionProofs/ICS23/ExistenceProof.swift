/// A path from one key and value up to a root, as ICS-23 writes it.
///
/// Source: ICS-23 (cosmos.ics23.v1), messages CommitmentProof, ExistenceProof, LeafOp and InnerOp.
struct ExistenceProof: Equatable {
    /// How the lowest node is hashed.
    struct Leaf: Equatable {
        var hash: UInt64 = 0
        var prehashKey: UInt64 = 0
        var prehashValue: UInt64 = 0
        var length: UInt64 = 0
        var prefix: [UInt8] = []
    }

    /// How a node is hashed around its child.
    struct Inner: Equatable {
        var hash: UInt64 = 0
        var prefix: [UInt8] = []
        var suffix: [UInt8] = []
    }

    /// The enumeration's numbers; the others exist and are refused.
    static let noHash: UInt64 = 0
    static let sha256: UInt64 = 1
    static let noPrefix: UInt64 = 0
    static let varProto: UInt64 = 1

    /// Deeper trees than this do not exist: 2^128 keys.
    static let maximumDepth = 128

    var key: [UInt8] = []
    var value: [UInt8] = []
    var leaf = Leaf()
    var path: [Inner] = []

    /// Reads a CommitmentProof that holds exactly one existence proof.
    init(commitment bytes: ArraySlice<UInt8>) throws(ProofError) {
        var reader = ProtobufReader(bytes, "the commitment proof")
        guard let (field, value) = try reader.next() else { throw reader.malformed("is empty") }
        switch field {
        case 1: break
        case 2: throw .unsupported("a proof that a key is absent grants nothing")
        case 3: throw .unsupported("batches of proofs are not accepted: send the one that is needed")
        case 4: throw .unsupported("compressed proofs are not accepted: send it expanded")
        default: throw reader.unknown(field)
        }
        guard case .bytes(let inner) = value else { throw reader.malformed("has a number for a proof") }
        guard try reader.next() == nil else { throw reader.malformed("has more than one part") }
        try self.init(inner)
    }

    init(_ bytes: ArraySlice<UInt8>) throws(ProofError) {
        var path: [Inner] = []
        let fields = try SingleFields(
            bytes, "the existence proof", known: 1...3,
            repeated: (4, Self.maximumDepth, { (bytes) throws(ProofError) in path.append(try Inner(bytes)) }))
        guard let key = fields.bytes(1), let value = fields.bytes(2), let leaf = fields.bytes(3), fields.has(3) else {
            throw .malformed("the existence proof has no leaf, or a number in the place of bytes")
        }
        (self.key, self.value, self.path) = (Array(key), Array(value), path)
        self.leaf = try Leaf(leaf)
    }
}

extension ExistenceProof.Leaf {
    init(_ bytes: ArraySlice<UInt8>) throws(ProofError) {
        let fields = try SingleFields(bytes, "the leaf operation", known: 1...5)
        guard let hash = fields.number(1), let prehashKey = fields.number(2), let prehashValue = fields.number(3),
            let length = fields.number(4), let prefix = fields.bytes(5)
        else { throw .malformed("the leaf operation has a field of another type") }
        self.init(
            hash: hash, prehashKey: prehashKey, prehashValue: prehashValue, length: length, prefix: Array(prefix))
    }
}

extension ExistenceProof.Inner {
    init(_ bytes: ArraySlice<UInt8>) throws(ProofError) {
        let fields = try SingleFields(bytes, "an inner operation", known: 1...3)
        guard let hash = fields.number(1), let prefix = fields.bytes(2), let suffix = fields.bytes(3) else {
            throw .malformed("an inner operation has a field of another type")
        }
        self.init(hash: hash, prefix: Array(prefix), suffix: Array(suffix))
    }
}
