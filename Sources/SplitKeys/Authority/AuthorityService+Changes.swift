import Anchors
import Audit
import Encodings
import Foundation

extension AuthorityService {
    public func revoke(client: String, peerKey: [UInt8], caller: SplitCaller) async throws(SplitKeyError) {
        let peer = Hexadecimal.encode(peerKey)
        do throws(SplitKeyError) {
            guard let record = try await store.share(peer: peer), record.clientID == client,
                record.userID == caller.user || caller.isService
            else { throw .unknownKey }
            try await revoke(record, operation: "revoke", caller: caller)
        } catch {
            await auditor.refuse(
                error, "revoke", "split:\(client):\(peer)", actor: caller.user.text, requestID: caller.requestID)
            throw error
        }
    }

    /// The ledger first: from then on nothing revives this key, whatever becomes of its row.
    private func revoke(_ record: ShareRecord, operation: String, caller: SplitCaller) async throws(SplitKeyError) {
        let peer = record.peerText
        await gate.beginChange(peer, revoking: true)
        defer { gate.endChange(peer) }
        opened.forget(peer)
        do {
            _ = try await revocations.revoke(
                record.subject,
                auditor.event(
                    .allowed, "ok", operation, record.subject, actor: caller.user.text, requestID: caller.requestID))
        } catch {
            throw SplitKeyError(
                .storageUnavailable, "the revocation cannot be recorded now; the key is not revoked", underlying: error)
        }
        try await store.revoke(peer: peer)
    }

    public func delete(client: String, caller: SplitCaller) async throws(SplitKeyError) {
        do throws(SplitKeyError) {
            let shares = try await store.shares(client: client, user: caller.user)
            let anchors = try await store.anchors(client: client, user: caller.user)
            guard !anchors.isEmpty || !shares.isEmpty else { throw .unknownWallet }
            for share in shares { try await revoke(share, operation: "delete", caller: caller) }
            for anchor in anchors { try await destroy(anchor) }
            try await store.remove(client: client, user: caller.user)
        } catch {
            await auditor.refuse(
                error, "delete", "wallet:\(client)", actor: caller.user.text, requestID: caller.requestID)
            throw error
        }
    }

    /// Where the token holds an anchor as an object, that ends; elsewhere it ends with its row.
    private func destroy(_ row: AnchorRow) async throws(SplitKeyError) {
        guard let record = try? JSONDecoder().decode(AnchorRecord.self, from: Data(row.record)) else { return }
        do {
            try await anchors.destroy(record, identity: row.identity)
        } catch {
            // A damaged record names nothing that could be destroyed.
            guard error.code == .damaged else { throw SplitKeyError(anchor: error) }
        }
    }

    public func setRestrictions(
        _ names: [String], allowsMessages: Bool? = nil, client: String, key: [UInt8], caller: SplitCaller
    ) async throws(SplitKeyError) {
        do throws(SplitKeyError) {
            let names = try Restrictions.check(names)
            let found = try await find(client: client, key: key, caller: caller)
            let peer = found.peerText
            await gate.beginChange(peer, revoking: false)
            defer { gate.endChange(peer) }
            // Read again: the row may have changed before the gate closed.
            guard var record = try await store.share(peer: peer), record.nonce == found.nonce else { throw .unknownKey }
            guard !record.isRevoked, !revocations.isRevoked(record.subject) else {
                throw SplitKeyError(.revoked, "the split key is revoked")
            }
            let share = try await open(record)
            try await auditor.allow(
                "restrictions", record.subject, actor: caller.user.text, requestID: caller.requestID,
                details: ["groups": names.joined(separator: " ")])
            record.policy = record.policy.restricted(to: names, allowsMessages: allowsMessages)
            record.sealed = try await seal(share.secret, record)
            try await store.put(record, anchor: nil)
            opened.forget(peer)
        } catch {
            await auditor.refuse(
                error, "restrictions", "wallet:\(client)", actor: caller.user.text, requestID: caller.requestID)
            throw error
        }
    }
}
