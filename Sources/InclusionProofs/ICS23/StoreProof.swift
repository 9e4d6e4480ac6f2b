/// A proof that a Cosmos chain's store holds a value: the two operations of an `abci_query`, first in the module's own
/// tree, then in the tree over all modules, whose root the block header names as `app_hash`.
///
/// Source: CometBFT, crypto/merkle ProofOps; Cosmos SDK, store/rootmulti.
public struct StoreProof: Sendable {
    private let inStore: ExistenceProof
    private let overStores: ExistenceProof
    /// The names beside the operations, which must be those of the proofs.
    private let names: (key: [UInt8], store: [UInt8])

    /// The longest proof that is read.
    public static let maximumLength = 64 << 10

    /// Reads `tendermint.crypto.ProofOps` with exactly the operations `ics23:iavl` and `ics23:simple`, in this order.
    public init(_ bytes: [UInt8]) throws(ProofError) {
        guard bytes.count <= Self.maximumLength else {
            throw .malformed("the proof is longer than \(Self.maximumLength) bytes")
        }
        var operations: [(type: [UInt8], key: [UInt8], data: ArraySlice<UInt8>)] = []
        _ = try SingleFields(
            bytes[...], "the proof", known: 0...0,
            repeated: (
                1, 2,
                { (bytes) throws(ProofError) in
                    let fields = try SingleFields(bytes, "a proof operation", known: 1...3)
                    guard let type = fields.bytes(1), let key = fields.bytes(2), let data = fields.bytes(3) else {
                        throw .malformed("a proof operation has a number in the place of bytes")
                    }
                    operations.append((Array(type), Array(key), data))
                }
            ))
        guard operations.count == 2 else {
            throw .malformed("the proof needs two operations, in the store and over all")
        }
        guard operations[0].type == Array("ics23:iavl".utf8), operations[1].type == Array("ics23:simple".utf8) else {
            throw .unsupported("the operations must be ics23:iavl and then ics23:simple")
        }
        inStore = try ExistenceProof(commitment: operations[0].data)
        overStores = try ExistenceProof(commitment: operations[1].data)
        names = (operations[0].key, operations[1].key)
    }

    /// Succeeds if the store `store` held `value` under `key` in the state that `appHash` stands for. All four are the
    /// verifier's own; nothing of the proof decides what it is a proof of.
    public func verify(store: String, key: [UInt8], value: [UInt8], appHash: [UInt8]) throws(ProofError) {
        let store = Array(store.utf8)
        guard appHash.count == 32 else { throw .wrong("the application hash has \(appHash.count) bytes, not 32") }
        guard names.key == key, inStore.key == key else { throw .wrong("the proof is for another key") }
        guard names.store == store, overStores.key == store else { throw .wrong("the proof is for another store") }
        guard inStore.value == value else { throw .wrong("the store holds another value") }
        try ProofSpec.iavl.check(inStore)
        try ProofSpec.tendermint.check(overStores)
        guard try inStore.root() == overStores.value else { throw .wrong("the store's root is another one") }
        guard try overStores.root() == appHash else { throw .wrong("the proof leads to another application hash") }
    }
}
