/// The messages of 2024 around a proof. They repeat what the verifier knows already; whatever they say must be the same.
///
/// Source: the inclusion-proof contracts' `EthermintPermissionProof` and `EvmPermissionProof`.
struct PermissionWrapper: Sendable {
    private let handle: [UInt8]
    /// Of the account; nil in the message that has no place for it, and in a proof of a permission for everybody.
    private let account: [UInt8]?
    private let namesAccounts: Bool
    private let isReencryption: Bool
    private let height: UInt64
    private let root: [UInt8]
    private let contract: [UInt8]
    let proof: [UInt8]

    /// 1 handles, 2 permission, 3 height, 4 root, 5 contract, 6 proofs: one handle and one proof.
    init(ethermint bytes: [UInt8]) throws(ProofError) {
        try self.init(bytes, hasAccounts: false)
    }

    /// 1 handles, 2 accounts, 3 permission, 4 height, 5 root, 6 contract, 7 proof: one handle, and an account in a
    /// re-encryption.
    init(evm bytes: [UInt8]) throws(ProofError) {
        try self.init(bytes, hasAccounts: true)
    }

    private init(_ bytes: [UInt8], hasAccounts: Bool) throws(ProofError) {
        guard bytes.count <= StoreProof.maximumLength else {
            throw .malformed("the proof is longer than \(StoreProof.maximumLength) bytes")
        }
        let shift: UInt64 = hasAccounts ? 1 : 0
        // Lists are read as single fields: a second entry is refused with the others.
        let fields = try SingleFields(bytes[...], "the permission proof", known: 1...6 + shift)
        guard let handle = fields.bytes(1), let account = hasAccounts ? fields.bytes(2) : [],
            let permission = fields.number(2 + shift), let height = fields.number(3 + shift),
            let root = fields.bytes(4 + shift), let contract = fields.bytes(5 + shift),
            let proof = fields.bytes(6 + shift)
        else { throw .malformed("the permission proof has a field of another type") }
        guard handle.count == 32, root.count == 32, contract.count == 20, [0, 20].contains(account.count) else {
            throw .malformed("a handle and a root have 32 bytes, a contract and an account 20")
        }
        guard permission <= 1 else { throw .malformed("the permission is neither 0 (decrypt) nor 1 (re-encrypt)") }
        self.handle = Array(handle)
        self.account = account.isEmpty ? nil : Array(account)
        namesAccounts = hasAccounts
        isReencryption = permission == 1
        self.height = height
        self.root = Array(root)
        self.contract = Array(contract)
        self.proof = Array(proof)
    }

    func check(
        _ list: AccessList, _ permission: AccessList.Permission, handle: [UInt8], height: UInt64, root: [UInt8]
    ) throws(ProofError) {
        guard self.root == root else { throw .wrong("the permission proof names another root than the verified one") }
        guard self.height == height else { throw .wrong("the permission proof names another height") }
        guard self.handle == handle else { throw .wrong("the permission proof names another ciphertext") }
        guard contract == list.contract else { throw .wrong("the permission proof names another contract") }
        switch permission {
        case .decrypt:
            guard !isReencryption, account == nil else { throw .wrong("the permission proof is of another permission") }
        case .reencrypt(let wanted):
            guard isReencryption else { throw .wrong("the permission proof is of another permission") }
            guard !namesAccounts || account == wanted else {
                throw .wrong("the permission proof names another account")
            }
        }
    }
}
