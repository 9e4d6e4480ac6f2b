/// What the bytes of a proof are. The operator says which one is served; nothing is guessed from the bytes.
public enum ProofForm: String, Sendable, Hashable, CaseIterable {
    /// `tendermint.crypto.ProofOps` of an `abci_query`.
    case ics23
    /// The same within `EthermintPermissionProof`, as inclusion-proof contracts of 2024 took it.
    case gx
    /// The JSON of `eth_getProof` within `EvmPermissionProof`: for chains whose application hash is an Ethereum state root.
    case eth
}

/// A proof that a permission was given, in one of the forms.
public struct PermissionProof: Sendable {
    private enum Content: Sendable {
        case store(StoreProof)
        case account(AccountProof)
    }

    private let content: Content
    private let wrapper: PermissionWrapper?

    /// - Throws: ``ProofError``; `proof-malformed` for bytes of another form.
    public init(_ bytes: [UInt8], _ form: ProofForm) throws(ProofError) {
        switch form {
        case .ics23: (content, wrapper) = (.store(try StoreProof(bytes)), nil)
        case .gx:
            let wrapper = try PermissionWrapper(ethermint: bytes)
            (content, self.wrapper) = (.store(try StoreProof(wrapper.proof)), wrapper)
        case .eth:
            let wrapper = try PermissionWrapper(evm: bytes)
            (content, self.wrapper) = (.account(try AccountProof(wrapper.proof)), wrapper)
        }
    }

    /// Succeeds if the proof shows that `list` gave the permission in the state of the header at `height`.
    ///
    /// - Parameter appHash: That header's.
    public func verify(
        _ list: AccessList, _ permission: AccessList.Permission, handle: [UInt8], height: UInt64, appHash: [UInt8]
    ) throws(ProofError) {
        try wrapper?.check(list, permission, handle: handle, height: height, root: appHash)
        switch content {
        case .store(let proof): try list.verify(proof, permission, handle: handle, appHash: appHash)
        case .account(let proof):
            try proof.verify(
                contract: list.contract, slot: list.slot(permission, handle: handle), value: AccessList.granted,
                root: appHash)
        }
    }
}
