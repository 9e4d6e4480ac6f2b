import LibCrypto
import LightClient

/// Writes ICS-23's messages and hashes.
enum ProofWriter {
    /// `CommitmentProof` with one existence proof. Leaves hash the value before it goes in, and write lengths before parts.
    static func commitment(
        key: [UInt8], value: [UInt8], leafPrefix: [UInt8], _ steps: [(prefix: [UInt8], suffix: [UInt8])]
    ) -> [UInt8] {
        ProtobufWriter.writing {
            $0.message(
                1,
                ProtobufWriter.writing { proof in
                    proof.bytes(1, key)
                    proof.bytes(2, value)
                    proof.message(
                        3,
                        ProtobufWriter.writing {
                            $0.number(1, UInt64(1))
                            $0.number(3, UInt64(1))
                            $0.number(4, UInt64(1))
                            $0.bytes(5, leafPrefix)
                        })
                    for step in steps {
                        proof.message(
                            4,
                            ProtobufWriter.writing {
                                $0.number(1, UInt64(1))
                                $0.bytes(2, step.prefix)
                                $0.bytes(3, step.suffix)
                            })
                    }
                })
        }
    }

    static func leafHash(_ prefix: [UInt8], _ key: [UInt8], _ value: [UInt8]) throws(LibCryptoError) -> [UInt8] {
        try Digest.sha256(prefix + length(key) + key + [32] + Digest.sha256(value))
    }

    private static func length(_ bytes: [UInt8]) -> [UInt8] {
        ProtobufWriter.writing { $0.varint(UInt64(bytes.count)) }
    }

    /// Three numbers in zig-zag form, none negative.
    static func signed(_ numbers: Int64...) -> [UInt8] {
        ProtobufWriter.writing { for number in numbers { $0.varint(UInt64(number) << 1) } }
    }

    /// The largest power of two below a count of two or more.
    static func split(_ count: Int) -> Int { 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount - 1) }
}

/// The tree over the roots of all modules' stores, whose root headers name as `app_hash`.
struct StoreRoots {
    private let roots: [(name: [UInt8], root: [UInt8])]

    /// - Parameter evm: The root of the store that contracts' storage is in. The other modules hold nothing here.
    init(evm: [UInt8]) throws(LibCryptoError) {
        var roots: [(name: [UInt8], root: [UInt8])] = []
        for name in ["acc", "bank"] { roots.append((Array(name.utf8), try Digest.sha256(Array(name.utf8)))) }
        self.roots = roots + [(Array("evm".utf8), evm)]
    }

    func appHash() throws(LibCryptoError) -> [UInt8] { try tree(roots[...]) }

    /// The proof of one store.
    func commitment(of store: [UInt8]) throws(LibCryptoError) -> [UInt8]? {
        guard let index = roots.firstIndex(where: { $0.name == store }) else { return nil }
        var steps: [(prefix: [UInt8], suffix: [UInt8])] = []
        var part = roots[...]
        while part.count > 1 {
            let middle = part.startIndex + ProofWriter.split(part.count)
            let (left, right) = (part[..<middle], part[middle...])
            if index < middle {
                steps.append(([1], try tree(right)))
                part = left
            } else {
                steps.append(([1] + (try tree(left)), []))
                part = right
            }
        }
        return ProofWriter.commitment(
            key: roots[index].name, value: roots[index].root, leafPrefix: [0], steps.reversed())
    }

    private func tree(_ part: ArraySlice<(name: [UInt8], root: [UInt8])>) throws(LibCryptoError) -> [UInt8] {
        if part.count == 1, let only = part.first { return try ProofWriter.leafHash([0], only.name, only.root) }
        let middle = part.startIndex + ProofWriter.split(part.count)
        return try Digest.sha256([1] + tree(part[..<middle]) + tree(part[middle...]))
    }
}
