public import Encodings
import SecretMemory
import Token

extension VaultService {
    /// Splits a wallet: a new user share, and the server share that is missing to the wallet's key.
    ///
    /// - Throws: `.notFound` for an unknown wallet; `.invalidArgument`.
    public func createKey(
        client: String, options: SplitKeyOptions, caller: SplitCaller
    ) async throws(SplitKeyError) -> SplitKey {
        try await audited("key", "wallet:\(client)", caller) { () async throws(SplitKeyError) in
            let master = try await wallet(client, caller)
            guard options.suite == nil || options.suite == master.suite else {
                throw .invalid("'suite' is not the wallet's, which is \(master.suite.rawValue)")
            }
            let restrictions = try Restrictions.check(options.restrictions)
            let policy = SplitPolicy(
                restrictions: restrictions, expiresAt: options.expiresAt,
                allowsMessages: options.allowsMessages
                    ?? SplitPolicy.allowsMessages(
                        restrictions: restrictions, isUsual: configuration.profile == .compat),
                verifiesHash: options.verifiesHash ?? true)
            guard policy.expiresAt >= 0, policy.expiresAt == 0 || policy.expiresAt > now else {
                throw .invalid("'expires_at' must be 0 or a time in the future, in Unix seconds")
            }
            await settle(client, caller)
            guard try await store.count(client: client) < configuration.maximumKeysPerWallet else {
                throw SplitKeyError(
                    .conflict, "the wallet has \(configuration.maximumKeysPerWallet) split keys, which is the limit")
            }
            return try await split(master, policy, keepsShare: !options.returnsShareOnce, caller)
        }
    }

    private func split(
        _ master: MasterRecord, _ policy: SplitPolicy, keepsShare: Bool, _ caller: SplitCaller
    ) async throws(SplitKeyError) -> SplitKey {
        let rest = try await open(master.sealed, .rootLock, master.context, "wallet")
        let (share, correction) = try master.suite.divide(rest)
        let publicKey = try master.suite.publicKey(of: share, operand: "share")
        let correctionKey = try master.suite.publicKey(of: correction, operand: "share")
        let peerKey =
            master.anchorKey.isEmpty ? correctionKey : try master.suite.sum(master.anchorKey, correctionKey)
        var record = SplitRecord(
            clientID: master.clientID, userID: master.userID, clientKey: master.clientKey, publicKey: publicKey,
            peerKey: peerKey, sharedTo: "", isRevoked: false, isPending: true, policy: policy, sealed: [],
            createdAt: now)
        if keepsShare { record.sealed = try await seal(share, .shareLockUser, record.context) }
        try await allow("key", "split:\(master.clientID):\(record.publicText)", caller)
        // Pending until the other role has its half: a crash between leaves a row that is never told and is cleared later.
        try await store.put(record, insteadOf: nil, isMade: true)
        do {
            try await authority.setUp(
                ShareSetup(
                    userID: master.userID, clientID: master.clientID, clientKey: master.clientKey, publicKey: peerKey,
                    peerKey: publicKey,
                    secret: master.anchor.map { .correction(correction, anchor: $0) } ?? .share(correction),
                    policy: policy, isForeign: false),
                caller: caller)
        } catch {
            await clear(record, caller)
            // Deleted meanwhile: then what failed is only what that had taken away first. The other role's part goes before the
            // wallet here does, so a wallet that is still here may be one that is about to go.
            if await isGone(master.clientID) { throw .lostRace }
            if error.code == .conflict { throw .lostHalf }
            throw error
        }
        let pending = record
        record.isPending = false
        do throws(SplitKeyError) {
            try await store.put(record, insteadOf: pending, isMade: true)
        } catch {
            // The wallet was removed meanwhile.
            if error.code == .conflict { await clear(pending, caller) }
            throw error
        }
        return SplitKey(
            wallet: Self.told(master), publicKey: publicKey, peerKey: peerKey, share: share, sharedTo: "",
            isRevoked: false, policy: policy, createdAt: record.createdAt)
    }

    private func isGone(_ client: String) async -> Bool {
        do { return try await store.master(client) == nil } catch { return false }
    }

    /// Takes a half-made split key back; what cannot be done now is done by ``settle(_:_:)`` later.
    private func clear(_ record: SplitRecord, _ caller: SplitCaller) async {
        do throws(SplitKeyError) {
            try await authority.revoke(client: record.clientID, peerKey: record.publicKey, caller: caller)
        } catch {
            // Not found: the other role never got it. Anything else: still pending, and nobody was given it.
            guard error.code == .notFound else { return }
        }
        try? await store.remove(publicKey: record.publicText)
    }

    /// Clears a wallet's pending split keys older than a minute: left-overs of a crash.
    private func settle(_ client: String, _ caller: SplitCaller) async {
        for record in (try? await store.pending(client: client)) ?? [] where record.createdAt < now - 60 {
            await clear(record, caller)
        }
    }

    /// The wallet's split keys with their shares; none for an unknown wallet. A row that does not open is marked.
    public func keys(client: String, caller: SplitCaller) async throws(SplitKeyError) -> [SplitKey] {
        guard let master = try await store.master(client), master.userID == caller.user else { return [] }
        var keys: [SplitKey] = []
        for record in try await store.splits(client: client) where !record.isPending {
            do throws(SplitKeyError) {
                keys.append(try await told(record, master))
            } catch {
                guard error.code == .faulty else { throw error }
                var key = Self.told(record, master, share: nil)
                key.isDamaged = true
                keys.append(key)
            }
        }
        return keys
    }

    /// Split keys that others shared to the caller. A row that does not open is left out: whom it is shared to is part of
    /// what it opens with, so nothing says that it is the caller's business.
    public func sharedKeys(caller: SplitCaller) async throws(SplitKeyError) -> [SplitKey] {
        var keys: [SplitKey] = []
        for record in try await store.splits(sharedTo: caller.user) where !record.isPending {
            do throws(SplitKeyError) {
                guard let master = try await store.master(record.clientID) else { continue }
                keys.append(try await told(record, master))
            } catch {
                guard error.code == .faulty else { throw error }
            }
        }
        return keys
    }

    /// Lets another user read a split key.
    ///
    /// - Throws: `.notFound`; `.invalidArgument` for the owner; `.revoked`.
    public func share(publicKey: [UInt8], to target: ExactText, caller: SplitCaller) async throws(SplitKeyError) {
        let name = Hexadecimal.encode(publicKey)
        try await audited("share", "split:\(name)", caller) { () async throws(SplitKeyError) in
            await changes.beginChange(name, revoking: false)
            defer { changes.endChange(name) }
            guard let found = try await store.split(publicKey: name), found.userID == caller.user, !found.isPending
            else { throw .unknownKey }
            var record = found
            let target = try SplitCaller.check(target, "'target_user_id'")
            guard target != caller.user else { throw .invalid("'target_user_id' is the owner") }
            guard !record.isRevoked else { throw SplitKeyError(.revoked, "the split key is revoked") }
            try await allow("share", "split:\(record.clientID):\(name)", caller, ["target": target.text])
            let share =
                record.sealed.isEmpty
                ? nil : try await open(record.sealed, .shareLockUser, record.context, "split key")
            record.sharedTo = target
            if let share { record.sealed = try await seal(share, .shareLockUser, record.context) }
            try await store.put(record, insteadOf: found)
        }
    }

    /// - Throws: `.notFound`.
    public func restrictions(key: [UInt8], caller: SplitCaller) async throws(SplitKeyError) -> [String] {
        try await record(key, nil, caller).policy.restrictions
    }

    /// Replaces a split key's restrictions, at the co-signing role first: that is where they count.
    ///
    /// - Throws: `.notFound`, `.invalidArgument`.
    public func setRestrictions(
        _ names: [String], allowsMessages: Bool? = nil, client: String, key: [UInt8], caller: SplitCaller
    ) async throws(SplitKeyError) {
        try await audited("restrictions", "wallet:\(client)", caller) { () async throws(SplitKeyError) in
            let names = try Restrictions.check(names)
            let name = try await record(key, client, caller).publicText
            await changes.beginChange(name, revoking: false)
            defer { changes.endChange(name) }
            // Read again: another change may have come first.
            let found = try await record(key, client, caller)
            guard found.publicText == name else { throw .unknownKey }
            var record = found
            guard !record.isRevoked else { throw SplitKeyError(.revoked, "the split key is revoked") }
            try await allow(
                "restrictions", "split:\(client):\(record.publicText)", caller,
                ["groups": names.joined(separator: " ")])
            try await authority.setRestrictions(
                names, allowsMessages: allowsMessages, client: client, key: record.publicKey, caller: caller)
            record.policy = record.policy.restricted(to: names, allowsMessages: allowsMessages)
            try await store.put(record, insteadOf: found)
        }
    }

    /// Revokes a split key, at the co-signing role first. Revoking again changes nothing.
    ///
    /// - Throws: `.notFound`.
    public func revoke(client: String, publicKey: [UInt8], caller: SplitCaller) async throws(SplitKeyError) {
        try await audited("revoke", "wallet:\(client)", caller) { () async throws(SplitKeyError) in
            let name = Hexadecimal.encode(publicKey)
            await changes.beginChange(name, revoking: false)
            defer { changes.endChange(name) }
            guard let found = try await store.split(publicKey: name), found.clientID == client,
                found.userID == caller.user, !found.isPending
            else { throw .unknownKey }
            var record = found
            try await allow("revoke", "split:\(client):\(record.publicText)", caller)
            try await authority.revoke(client: client, peerKey: publicKey, caller: caller)
            record.isRevoked = true
            try await store.put(record, insteadOf: found)
        }
    }

    /// The caller's split key that `key` names by either of its public keys.
    private func record(
        _ key: [UInt8], _ client: String?, _ caller: SplitCaller
    ) async throws(SplitKeyError) -> SplitRecord {
        let name = Hexadecimal.encode(key)
        let records = try await store.splits(anyKey: name, user: caller.user).filter {
            !$0.isPending && (client == nil || $0.clientID == client)
        }
        guard let record = records.first(where: { $0.peerKey == key }) ?? records.first else { throw .unknownKey }
        return record
    }
}
