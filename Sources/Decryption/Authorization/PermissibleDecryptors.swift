import Encodings

/// A list of accounts that may have a ciphertext re-encrypted, with proofs of it.
///
/// Nobody signs the list. It grants nothing by itself: an account counts only with a proof that the chain permits it, and one
/// that is not on the list is refused even so.
public struct PermissibleDecryptors: Sendable, Hashable {
    /// A proof of one account's permission.
    public struct Entry: Sendable, Hashable {
        public var account: [UInt8]
        public var proof: [UInt8]

        public init(account: [UInt8], proof: [UInt8]) {
            self.account = account
            self.proof = proof
        }
    }

    public var contract: [UInt8]
    public var handle: [UInt8]
    public var accounts: [[UInt8]]
    public var proofs: [Entry]

    static let mostAccounts = 64
    static let mostProofs = 16

    public init(contract: [UInt8], handle: [UInt8], accounts: [[UInt8]], proofs: [Entry]) {
        self.contract = contract
        self.handle = handle
        self.accounts = accounts
        self.proofs = proofs
    }

    /// Checks the form, and that the list is of this contract and ciphertext and has the account.
    ///
    /// - Returns: The account's own proofs; what the list has of others is not looked at.
    func proofs(of account: [UInt8], contract: [UInt8], handle: [UInt8]) throws(DecryptionError) -> [[UInt8]] {
        try checkForm()
        guard self.contract == contract, self.handle == handle else {
            throw .denied("acl", "the list of permissible decryptors is of another contract or another ciphertext")
        }
        guard accounts.contains(account) else {
            throw .denied(
                "acl", "the account 0x\(Hexadecimal.encode(account)) is not on the list of permissible decryptors")
        }
        return proofs.filter { $0.account == account }.map(\.proof)
    }

    private func checkForm() throws(DecryptionError) {
        guard contract.count == 20, handle.count == 32, accounts.allSatisfy({ $0.count == 20 }) else {
            throw .invalid(
                "malformed-acl",
                "a list of permissible decryptors has a contract and accounts of 20 bytes and a handle of 32")
        }
        guard (1...Self.mostAccounts).contains(accounts.count), proofs.count <= Self.mostProofs else {
            throw .invalid(
                "malformed-acl",
                "a list of permissible decryptors has 1 to \(Self.mostAccounts) accounts and at most \(Self.mostProofs) "
                    + "proofs")
        }
        guard Set(accounts).count == accounts.count, Set(proofs.map(\.account)).count == proofs.count else {
            throw .invalid("malformed-acl", "a list of permissible decryptors has an account twice")
        }
        guard proofs.allSatisfy({ accounts.contains($0.account) && !$0.proof.isEmpty }) else {
            throw .invalid(
                "malformed-acl", "a list of permissible decryptors has a proof of an account that is not on it, or none"
            )
        }
    }
}
