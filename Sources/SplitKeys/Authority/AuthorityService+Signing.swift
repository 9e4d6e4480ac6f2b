import Audit
import TextEncodings

extension AuthorityService {
    /// Adds the server's half to the caller's.
    ///
    /// - Throws: `.notFound` for an unknown key or another wallet's; `.revoked`, `.expired`, `.notPermitted`,
    ///   `.rateLimited`, `.shareInvalid`, `.invalidArgument`; `.faulty`, `.tokenUnavailable`, `.storageUnavailable`.
    public func cosign(_ request: CosignRequest) async throws(SplitKeyError) -> Cosignature {
        let peer = Hexadecimal.encode(request.peerKey)
        await gate.enter(peer)
        defer { gate.leave(peer) }
        do throws(SplitKeyError) {
            return try await cosign(request, peer)
        } catch {
            await auditor.refuse(
                error, request.operation, "split:\(peer)", actor: request.user ?? "-", requestID: request.requestID)
            throw error
        }
    }

    private func cosign(_ request: CosignRequest, _ peer: String) async throws(SplitKeyError) -> Cosignature {
        if let refusal = revocations.refusal {
            throw SplitKeyError(.storageUnavailable, "signing is closed: the audit chain is not whole", detail: refusal)
        }
        let share = try await openedShare(peer)
        let record = share.record
        try check(request, record)
        guard limiter.admit(peer) else {
            throw SplitKeyError(
                .rateLimited, "this key signs \(configuration.signaturesPerSecond) times a second at most")
        }
        let signature = try await combiner.signature(request, share)
        try refuseIfRevoked(record, peer)
        var details = ["hash": Hexadecimal.encode(request.hash), "client": record.clientID]
        if case .transaction(let transaction) = request.payload, let function = transaction.function {
            details["function"] = String(function.prefix(64))
        }
        let position = try await auditor.allow(
            request.operation, record.subject, actor: record.userID, requestID: request.requestID, details: details)
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
        guard request.share.count == record.suite.signatureLength else {
            throw .invalid("'signature' must be \(2 * record.suite.signatureLength) hexadecimal digits")
        }
        let isStrict = configuration.profile == .strict || !record.isForeign
        switch request.payload {
        case .message(_, let clientID):
            guard clientID == record.clientID else { throw .unknownKey }
            guard record.policy.allowsMessages else {
                throw SplitKeyError(
                    .notPermitted,
                    "this key signs no bare hashes, because they go around its restrictions; "
                        + "send the transaction to sign/txn")
            }
        case .transaction(let transaction):
            guard transaction.clientID == record.clientID else { throw .unknownKey }
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
