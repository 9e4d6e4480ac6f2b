import LibCrypto

extension ExistenceProof {
    /// The root that this path leads to. Says nothing of what kind of tree it would be: see ``ProofSpec``.
    func root() throws(ProofError) -> [UInt8] {
        var node = try leaf.applied(key: key, value: value)
        for step in path { node = try step.applied(child: node) }
        return node
    }

    /// SHA-256 of public bytes.
    static func digest(_ bytes: [UInt8]) throws(ProofError) -> [UInt8] {
        do { return try Digest.sha256(bytes) } catch { throw .unsupported("SHA-256 is not available: \(error)") }
    }
}

extension ExistenceProof.Leaf {
    /// SHA-256 of prefix, key and value, each as the operation says.
    func applied(key: [UInt8], value: [UInt8]) throws(ProofError) -> [UInt8] {
        guard !key.isEmpty, !value.isEmpty else {
            throw .wrong("a leaf without a key, or without a value, proves nothing")
        }
        guard hash == ExistenceProof.sha256 else { throw .unsupported("leaves are hashed with SHA-256 only") }
        let parts = try prepared(key, prehashKey) + prepared(value, prehashValue)
        return try ExistenceProof.digest(prefix + parts)
    }

    private func prepared(_ data: [UInt8], _ prehash: UInt64) throws(ProofError) -> [UInt8] {
        let hashed: [UInt8]
        switch prehash {
        case ExistenceProof.noHash: hashed = data
        case ExistenceProof.sha256: hashed = try ExistenceProof.digest(data)
        default: throw .unsupported("parts of a leaf are hashed with SHA-256 or not at all")
        }
        switch length {
        case ExistenceProof.noPrefix: return hashed
        case ExistenceProof.varProto: return Varint.write(UInt64(hashed.count)) + hashed
        default: throw .unsupported("lengths in a leaf are written as protobuf's numbers or not at all")
        }
    }
}

extension ExistenceProof.Inner {
    func applied(child: [UInt8]) throws(ProofError) -> [UInt8] {
        guard hash == ExistenceProof.sha256 else { throw .unsupported("nodes are hashed with SHA-256 only") }
        guard !child.isEmpty else { throw .wrong("a node without a child proves nothing") }
        return try ExistenceProof.digest(prefix + child + suffix)
    }
}
