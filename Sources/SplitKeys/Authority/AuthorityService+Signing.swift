import Audit
import Encodings
import Token

extension AuthorityService {
    /// Adds the server's half to the caller's.
    ///
    /// Signing asks for no token, so the caller's half is all that proves anything. It is checked first: until then no
    /// token is called, nothing counts against the key's rate, and a refusal is only counted.
    ///
    /// - Throws: `.notFound` for an unknown key or another wallet's; `.revoked`, `.expired`, `.notPermitted`,
    ///   `.rateLimited`, `.shareInvalid`, `.invalidArgument`; `.faulty`, `.tokenUnavailable`, `.storageUnavailable`.
    public func cosign(_ request: CosignRequest) async throws(SplitKeyError) -> Cosignature {
        let peer = Hexadecimal.encode(request.peerKey)
        let half = try await prove(request, peer)
        await gate.enter(peer)
        defer { gate.leave(peer) }
        do throws(SplitKeyError) {
            // A key is one user's; all of his are one tenant's.
            let user = try await knownRecord(peer)?.userID ?? ExactText(peer)
            return try await TokenTenant(user).run { () async throws(SplitKeyError) in
                try await cosign(request, half, peer)
            }
        } catch {
            await auditor.refuse(
                error, request.operation, "split:\(peer)", actor: request.user?.text ?? "-",
                requestID: request.requestID)
            throw error
        }
    }

    // MARK: The caller's half

    /// What is cheap first; at most one product of pairings.
    private func prove(
        _ request: CosignRequest, _ peer: String
    ) async throws(SplitKeyError) -> ShareCombiner.ProvenHalf {
        var isKnown = false
        do throws(SplitKeyError) {
            if let refusal = revocations.refusal {
                throw SplitKeyError(
                    .storageUnavailable, "signing is closed: the audit chain is not whole", detail: refusal)
            }
            guard let record = try await knownRecord(peer) else { throw .unknownKey }
            isKnown = true
            guard request.clientID == record.clientID else { throw .unknownKey }
            guard !record.isRevoked else { throw Self.revoked }
            try refuseIfRevoked(record, peer)
            return try prove(request, record, peer)
        } catch {
            // The name of a key that is not here is the caller's invention.
            let subject = isKnown ? "split:\(peer)" : "split:unknown"
            refusals.count(
                RefusalCounter.Kind(operation: request.operation, reason: error.code, subject: subject),
                address: request.address, requestID: request.requestID, at: now)
            throw error
        }
    }

    /// The row, not yet authentic: the caller's half is checked under the key that names it, and nothing else is used.
    private func knownRecord(_ peer: String) async throws(SplitKeyError) -> ShareRecord? {
        if let share = opened.find(peer) { return share.record }
        return try await store.share(peer: peer)
    }

    private func prove(
        _ request: CosignRequest, _ record: ShareRecord, _ peer: String
    ) throws(SplitKeyError) -> ShareCombiner.ProvenHalf {
        guard request.share.count == record.suite.signatureLength else {
            throw .invalid("'signature' must be \(2 * record.suite.signatureLength) hexadecimal digits")
        }
        guard limiter.hasLeft(peer) else { throw rateLimited }
        let owner = request.user.flatMap { $0 == record.userID ? $0.text : nil }
        guard wrongHalves.admits(key: peer, address: request.address, owner: owner) else {
            throw SplitKeyError(.rateLimited, "too many wrong signatures came from here or for this key; wait a second")
        }
        let half: ShareCombiner.ProvenHalf
        do throws(SplitKeyError) {
            half = try combiner.prove(request, record.suite, under: record.peerKey)
        } catch {
            if error.code == .shareInvalid {
                wrongHalves.countWrong(key: peer, address: request.address, owner: owner)
            }
            throw error
        }
        wrongHalves.countRight(key: peer, address: request.address)
        guard limiter.admit(peer) else { throw rateLimited }
        return half
    }

    private var rateLimited: SplitKeyError {
        SplitKeyError(.rateLimited, "this key signs \(configuration.signaturesPerSecond) times a second at most")
    }

    /// Writes the records of what was refused and only counted.
    func tellRefusals(isLast: Bool) async {
        await auditor.tellCounts(isLast: isLast)
        for (kind, count) in refusals.take(at: now, isLast: isLast) { await auditor.refuse(kind, count) }
    }

    // MARK: The server's half

    private func cosign(
        _ request: CosignRequest, _ half: ShareCombiner.ProvenHalf, _ peer: String
    ) async throws(SplitKeyError) -> Cosignature {
        let share = try await openedShare(peer)
        let record = share.record
        try check(request, record)
        let signature = try await combiner.signature(half, share)
        try refuseIfRevoked(record, peer)
        var details = ["hash": Hexadecimal.encode(request.hash), "client": record.clientID]
        if case .transaction(let transaction) = request.payload, let function = transaction.function {
            details["function"] = String(function.prefix(64))
        }
        let position = try await auditor.allow(
            request.operation, record.subject, actor: record.userID.text, requestID: request.requestID, details: details
        )
        // A revocation that began while the record was written is waiting for this signature's end.
        try refuseIfRevoked(record, peer)
        touch(peer)
        return Cosignature(
            signature: signature, clientID: record.clientID, subject: record.subject, peerKey: record.peerKey,
            policy: record.policy,
            hash: request.hash, position: position)
    }

    private func openedShare(_ peer: String) async throws(SplitKeyError) -> OpenedShare {
        if let share = opened.find(peer) {
            try refuseIfRevoked(share.record, peer)
            return share
        }
        guard let record = try await store.share(peer: peer) else { throw .unknownKey }
        guard !record.isRevoked else { throw Self.revoked }
        try refuseIfRevoked(record, peer)
        let share = try await open(record)
        opened.insert(share, peer)
        return share
    }

    private func refuseIfRevoked(_ record: ShareRecord, _ peer: String) throws(SplitKeyError) {
        if revocations.isRevoked(record.subject) || gate.isRevoking(peer) { throw Self.revoked }
    }

    private static let revoked = SplitKeyError(.revoked, "the split key is revoked")

    /// Whether the key's policy allows the request.
    private func check(_ request: CosignRequest, _ record: ShareRecord) throws(SplitKeyError) {
        guard !record.policy.isExpired(at: now) else { throw SplitKeyError(.expired, "the split key is expired") }
        // The row was read again since the half was proven.
        guard request.clientID == record.clientID else { throw .unknownKey }
        let isStrict = configuration.profile == .strict || !record.isForeign
        switch request.payload {
        case .message:
            guard record.policy.allowsMessages else {
                throw SplitKeyError(
                    .notPermitted,
                    "this key signs no bare hashes, because they go around its restrictions; "
                        + "send the transaction to sign/txn")
            }
        case .transaction(let transaction):
            guard
                !isStrict || transaction.publicKey.isEmpty
                    || Hexadecimal.decode(transaction.publicKey, .either) == record.clientKey
            else { throw .invalid("'public_key' is not the wallet's") }
            try Restrictions.permit(transaction, groups: record.policy.restrictions, isBound: isStrict)
            if record.policy.verifiesHash || configuration.profile == .strict {
                guard try transaction.computedHash() == transaction.hash else {
                    throw .invalid("'hash' is not the hash of the transaction's fields")
                }
            }
        }
    }
}
