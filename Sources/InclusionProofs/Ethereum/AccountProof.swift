/// What a node answers to `eth_getProof` for one account and one slot.
///
/// Source: EIP-1186.
public struct AccountProof: Sendable {
    private let account: Account
    private let nodes: [[UInt8]]
    private let slot: [UInt8]
    private let value: [UInt8]
    private let storageNodes: [[UInt8]]

    /// What the answer says of the account, which counts only where the trie says the same.
    private struct Account: Sendable {
        var address: [UInt8]
        var nonce, balance: [UInt8]?
        var storageHash: [UInt8]
        var codeHash: [UInt8]?
    }

    public init(_ json: [UInt8]) throws(ProofError) {
        guard json.count <= StoreProof.maximumLength else {
            throw .malformed("the proof is longer than \(StoreProof.maximumLength) bytes")
        }
        let members = try ProofText.read(json[...]).members(
            needed: ["address", "accountProof", "storageHash", "storageProof"],
            allowed: ["balance", "nonce", "codeHash"])
        func member(_ name: String) throws(ProofError) -> ProofText.Value {
            guard let value = members[Array(name.utf8)] else { throw ProofText.malformed("lacks a member") }
            return value
        }
        account = Account(
            address: try member("address").data(), nonce: try members[Array("nonce".utf8)]?.word(),
            balance: try members[Array("balance".utf8)]?.word(), storageHash: try member("storageHash").data(),
            codeHash: try members[Array("codeHash".utf8)]?.data())
        nodes = try Self.nodes(try member("accountProof"))
        let slots = try member("storageProof").items()
        guard slots.count == 1 else { throw .malformed("the proof must be of one slot, not of \(slots.count)") }
        let entry = try slots[0].members(needed: ["key", "value", "proof"])
        guard let key = entry[Array("key".utf8)], let value = entry[Array("value".utf8)],
            let proof = entry[Array("proof".utf8)]
        else { throw ProofText.malformed("lacks a member") }
        (slot, self.value, storageNodes) = (try key.word(), try value.word(), try Self.nodes(proof))
    }

    private static func nodes(_ value: ProofText.Value) throws(ProofError) -> [[UInt8]] {
        var nodes: [[UInt8]] = []
        for item in try value.items() { nodes.append(try item.data()) }
        return nodes
    }

    /// Succeeds if the contract's slot held `value` (a word) in the state of `root`. All four are the verifier's own.
    ///
    /// The storage root comes out of the account's proof; what the answer says of it beside that must be the same.
    public func verify(contract: [UInt8], slot: [UInt8], value: [UInt8], root: [UInt8]) throws(ProofError) {
        guard contract.count == 20, account.address == contract else { throw .wrong("the proof is of another account") }
        guard self.slot == slot else { throw .wrong("the proof is of another slot") }
        guard self.value == value else { throw .wrong("the slot holds another value") }
        let encoded = try TriePath.value(
            root: root, key: Keccak256.hash(contract), nodes: nodes, "the account's proof")
        guard case .list(let parts, _) = try RLP(encoded[...]), parts.count == 4 else {
            throw .malformed("the account's proof ends in something else than an account")
        }
        var words: [ArraySlice<UInt8>] = []
        for part in parts {
            guard case .bytes(let bytes) = part else { throw .malformed("an account has a list in it") }
            words.append(bytes)
        }
        let storage = Array(words[2])
        guard storage.count == 32, account.storageHash == storage,
            try account.nonce.map({ (word) throws(ProofError) in try Self.word(words[0]) == word }) ?? true,
            try account.balance.map({ (word) throws(ProofError) in try Self.word(words[1]) == word }) ?? true,
            account.codeHash.map({ $0 == Array(words[3]) }) ?? true
        else { throw .wrong("the account is another one than the answer says") }
        let stored = try TriePath.value(
            root: storage, key: Keccak256.hash(slot), nodes: storageNodes, "the slot's proof")
        guard case .bytes(let number) = try RLP(stored[...]), try Self.word(number) == value else {
            throw .wrong("the slot holds another value")
        }
    }

    /// A number without leading zeros as a word.
    private static func word(_ number: ArraySlice<UInt8>) throws(ProofError) -> [UInt8] {
        guard number.count <= 32, number.first != 0 else { throw .malformed("a number in a trie has another form") }
        return [UInt8](repeating: 0, count: 32 - number.count) + number
    }
}
