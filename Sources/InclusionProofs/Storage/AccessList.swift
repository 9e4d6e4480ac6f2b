/// Where a contract that keeps a list of permissions has the entry for one ciphertext.
public struct AccessList: Sendable, Equatable {
    public enum Permission: Sendable, Equatable {
        /// Anybody may learn the value.
        case decrypt
        /// This account (20 bytes) may have it re-encrypted.
        case reencrypt(account: [UInt8])
    }

    /// The contract, 20 bytes.
    public let contract: [UInt8]
    /// 32 bytes, big-endian: the first slot of the contract's namespace (ERC-7201), or zeros without one.
    public let base: [UInt8]
    /// Slots of the two mappings behind ``base``; without a mapping its permission cannot be proven.
    public let decryptOffset: UInt8
    public let reencryptOffset: UInt8?

    /// The namespace `fhevm.storage.ACL`: persisted pairs at 0, allowed for decryption at 1.
    public static let namespace: [UInt8] = [
        0xa6, 0x88, 0xf3, 0x19, 0x53, 0xc2, 0x01, 0x5b, 0xaa, 0xf8, 0xc0, 0xa4, 0x88, 0xee, 0x1e, 0xe2,
        0x2e, 0xb0, 0xe0, 0x52, 0x73, 0xcc, 0x1f, 0xd3, 0x1e, 0xa4, 0xcb, 0xee, 0x42, 0xfe, 0xbc, 0x00,
    ]

    /// - Throws: ``ProofError`` if a length is not as said above.
    public init(contract: [UInt8], base: [UInt8], decryptOffset: UInt8, reencryptOffset: UInt8?) throws(ProofError) {
        guard contract.count == 20, base.count == 32 else {
            throw .malformed("a contract has 20 bytes and a storage location 32")
        }
        // Offsets are added to the last byte; a base that would carry is none that a namespace has.
        guard Int(base[31]) + max(Int(decryptOffset), Int(reencryptOffset ?? 0)) < 256 else {
            throw .malformed("the storage location ends too high for its mappings")
        }
        (self.contract, self.base) = (contract, base)
        (self.decryptOffset, self.reencryptOffset) = (decryptOffset, reencryptOffset)
    }

    /// The word of a granted permission: `true` in Solidity.
    public static let granted = [UInt8](repeating: 0, count: 31) + [1]

    /// The storage slot that says whether `permission` is given for `handle` (32 bytes).
    ///
    /// Source: Solidity, layout of mappings: keccak256(key ‖ slot).
    public func slot(_ permission: Permission, handle: [UInt8]) throws(ProofError) -> [UInt8] {
        guard handle.count == 32 else { throw .malformed("a handle has 32 bytes") }
        switch permission {
        case .decrypt: return Keccak256.hash(handle + location(decryptOffset))
        case .reencrypt(let account):
            guard let reencryptOffset else {
                throw .unsupported("this layout keeps no permissions for re-encryption")
            }
            guard account.count == 20 else { throw .malformed("an account has 20 bytes") }
            let pairs = Keccak256.hash(handle + location(reencryptOffset))
            return Keccak256.hash([UInt8](repeating: 0, count: 12) + account + pairs)
        }
    }

    /// The key under which Ethermint's `evm` store keeps a contract's slot: 53 bytes.
    public func storeKey(_ permission: Permission, handle: [UInt8]) throws(ProofError) -> [UInt8] {
        [0x02] + contract + (try slot(permission, handle: handle))
    }

    /// Succeeds if the proof shows that the permission was given in the state of `appHash`.
    public func verify(
        _ proof: StoreProof, _ permission: Permission, handle: [UInt8], appHash: [UInt8]
    ) throws(ProofError) {
        try proof.verify(
            store: "evm", key: storeKey(permission, handle: handle), value: Self.granted, appHash: appHash)
    }

    private func location(_ offset: UInt8) -> [UInt8] { base.dropLast() + [base[31] + offset] }
}
