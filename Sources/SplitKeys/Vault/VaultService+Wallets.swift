public import SecretMemory
import Token

extension VaultService {
    /// Makes a wallet nobody knows the key of: anchor and rest are drawn apart, and their sum is never formed.
    public func createWallet(suite: SplitSuite, caller: SplitCaller) async throws(SplitKeyError) -> SplitWallet {
        try await audited("wallet", "wallet:-", caller) { () async throws(SplitKeyError) in
            let rest = try suite.generate()
            let scalar = suite.isAnchored ? try suite.generate() : nil
            return try await insert(scalar: scalar, rest: rest, suite, "wallet", caller)
        }
    }

    /// Takes an existing master key. The same key again, by the same user, changes nothing.
    ///
    /// - Throws: `.invalidArgument` for no key; `.conflict` if it is another user's.
    public func store(
        _ secret: SharedSecret, suite: SplitSuite, caller: SplitCaller
    ) async throws(SplitKeyError) -> SplitWallet {
        try await audited("store", "wallet:-", caller) { () async throws(SplitKeyError) in
            let clientKey = try suite.publicKey(of: secret, operand: "private_key")
            if let existing = try await store.master(try WalletName.clientID(of: clientKey)) {
                guard existing.userID == caller.user else {
                    throw SplitKeyError(.conflict, "this wallet is somebody else's")
                }
                return Self.told(existing)
            }
            guard suite.isAnchored else {
                return try await insert(scalar: nil, rest: secret, suite, "store", caller)
            }
            let (scalar, rest) = try suite.divide(secret)
            return try await insert(scalar: scalar, rest: rest, suite, "store", caller)
        }
    }

    private func insert(
        scalar: SharedSecret?, rest: SharedSecret, _ suite: SplitSuite, _ operation: String, _ caller: SplitCaller
    ) async throws(SplitKeyError) -> SplitWallet {
        let restKey = try suite.publicKey(of: rest, operand: "private_key")
        let anchorKey = try scalar.map { scalar throws(SplitKeyError) in
            try suite.publicKey(of: scalar, operand: "private_key")
        }
        let clientKey =
            try anchorKey.map { anchorKey throws(SplitKeyError) in try suite.sum(anchorKey, restKey) }
            ?? restKey
        var master = MasterRecord(
            clientID: try WalletName.clientID(of: clientKey), userID: caller.user, clientKey: clientKey, suite: suite,
            anchor: nil, protection: SplitProtection.sealed.rawValue, anchorKey: anchorKey ?? [], sealed: [],
            createdAt: now)
        try await allow(operation, "wallet:\(master.clientID)", caller)
        if let scalar {
            let taken = try await authority.takeAnchor(scalar, suite: suite, client: master.clientID, caller: caller)
            master.anchor = taken.anchor
            master.protection = taken.protection.rawValue
        }
        master.sealed = try await seal(rest, .rootLock, master.context)
        try await store.insert(master)
        return Self.told(master)
    }

    /// The caller's wallets.
    public func wallets(caller: SplitCaller) async throws(SplitKeyError) -> [SplitWallet] {
        try await store.masters(user: caller.user, limit: Self.mostWallets).map(Self.told)
    }

    /// Removes a wallet and every split key of it, at the co-signing role first.
    ///
    /// - Throws: `.notFound`.
    public func delete(client: String, caller: SplitCaller) async throws(SplitKeyError) {
        try await audited("delete", "wallet:\(client)", caller) { () async throws(SplitKeyError) in
            _ = try await wallet(client, caller)
            try await allow("delete", "wallet:\(client)", caller)
            let known = Set(try await store.splits(client: client).map(\.publicKey))
            do throws(SplitKeyError) {
                try await authority.delete(client: client, caller: caller)
            } catch {
                // Not found: it never had a split key, or an earlier attempt got this far.
                guard error.code == .notFound else { throw error }
            }
            // Made while the other role deleted: it may have got its half afterwards.
            for key in try await store.remove(client: client) where !known.contains(key) {
                do throws(SplitKeyError) {
                    try await authority.revoke(client: client, peerKey: key, caller: caller)
                } catch {
                    guard error.code == .notFound else { throw error }
                }
            }
        }
    }
}
