import Anchors
import Audit
import EnclaveLock
import Encodings
import Foundation
import LibCrypto
public import SecretMemory
import Token

extension AuthorityService {
    public func takeAnchor(
        _ scalar: SharedSecret, suite: SplitSuite, client: String, caller: SplitCaller
    ) async throws(SplitKeyError) -> (anchor: String, protection: SplitProtection) {
        guard suite.isAnchored else { throw .invalid("'suite' has no anchors") }
        // The caller's mistake is told as one, before the token is asked.
        _ = try suite.publicKey(of: scalar, operand: "scalar")
        let id = try Self.nonce()
        try await auditor.allow(
            "anchor", "wallet:\(client)", actor: caller.user.text, requestID: caller.requestID, details: ["anchor": id])
        let row = try await makeAnchor(scalar, suite, id: id, user: caller.user, client: client)
        try await store.insert(row.row)
        return (row.row.id, row.record.mode == .anchored ? .anchored : .sealed)
    }

    private func makeAnchor(
        _ scalar: SharedSecret, _ suite: SplitSuite, id: String, user: ExactText, client: String
    ) async throws(SplitKeyError) -> (row: AnchorRow, record: AnchorRecord) {
        var row = AnchorRow(id: id, userID: user, clientID: client, record: [])
        let record: AnchorRecord
        do {
            record = try await suite.scheme.take(scalar, identity: row.identity, by: combiner.keepers)
        } catch {
            throw SplitKeyError(keeper: error)
        }
        do { row.record = [UInt8](try JSONEncoder().encode(record)) } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
        return (row, record)
    }

    public func setUp(_ setup: ShareSetup, caller: SplitCaller) async throws(SplitKeyError) {
        let subject = "split:\(setup.clientID):\(Hexadecimal.encode(setup.peerKey))"
        do throws(SplitKeyError) {
            let user = try SplitCaller.check(setup.userID ?? caller.user, "'user_id'")
            guard user == caller.user || caller.isService else {
                throw SplitKeyError(.forbidden, "'user_id' is not the token's user")
            }
            let suite = try Self.check(setup)
            let peer = Hexadecimal.encode(setup.peerKey)
            await gate.beginChange(peer, revoking: false)
            defer { gate.endChange(peer) }
            try await TokenTenant(user).run { () async throws(SplitKeyError) in
                try await setUp(setup, user: user, suite: suite, peer: peer, caller: caller)
            }
        } catch {
            await auditor.refuse(error, "setup", subject, actor: caller.user.text, requestID: caller.requestID)
            throw error
        }
    }

    private func setUp(
        _ setup: ShareSetup, user: ExactText, suite: SplitSuite, peer: String, caller: SplitCaller
    ) async throws(SplitKeyError) {
        let existing = try await store.share(peer: peer)
        if let existing {
            guard existing.userID == user, existing.clientID == setup.clientID else {
                throw SplitKeyError(.conflict, "this split key is somebody else's")
            }
            guard !existing.isRevoked, !revocations.isRevoked(existing.subject) else {
                throw SplitKeyError(.conflict, "this split key is revoked; delete the wallet to begin afresh")
            }
        }
        let nonce = if let existing { existing.nonce } else { try Self.nonce() }
        var record = ShareRecord(
            nonce: nonce, userID: user, clientID: setup.clientID,
            clientKey: setup.clientKey, peerKey: setup.peerKey, publicKey: setup.publicKey, suite: suite,
            policy: setup.policy, anchor: nil, isForeign: setup.isForeign, sealed: [], isRevoked: false,
            createdAt: existing?.createdAt ?? now, lastUsed: existing?.lastUsed ?? 0)
        if case .correction(let correction, let id) = setup.secret {
            try await check(correction, anchor: id, setup, user: user, suite)
        }
        try await auditor.allow("setup", record.subject, actor: caller.user.text, requestID: caller.requestID)
        var anchor: AnchorRow?
        let secret: SharedSecret
        switch setup.secret {
        case .correction(let correction, let id):
            secret = correction
            record.anchor = id
        case .share(let share) where suite.isAnchored:
            // The share becomes an anchor of its own and a random correction, so that the store alone is worth nothing.
            let (scalar, correction) = try suite.divide(share)
            let made = try await makeAnchor(scalar, suite, id: try Self.nonce(), user: user, client: setup.clientID)
            anchor = made.row
            record.anchor = made.row.id
            secret = correction
        case .share(let share): secret = share
        }
        record.sealed = try await seal(secret, record)
        try await store.put(record, anchor: anchor, isNew: existing == nil)
        opened.forget(peer)
    }

    /// Refuses a correction that makes no half of this wallet with its anchor: it would be found at the first signature
    /// only.
    private func check(
        _ correction: SharedSecret, anchor id: String, _ setup: ShareSetup, user: ExactText, _ suite: SplitSuite
    ) async throws(SplitKeyError) {
        // The store ends a text at a NUL, so a name is looked up only if it can be one.
        guard Hexadecimal.decode(id)?.count == Self.nonceLength else {
            throw .invalid("'anchor' is not one that POST /anchor answered")
        }
        // Whoever names one that was there has lost it to a deletion, and no other request would do better.
        guard let row = try await store.anchor(id), row.userID == user, row.clientID == setup.clientID else {
            throw .anchorGone
        }
        guard let anchor = try? JSONDecoder().decode(AnchorRecord.self, from: Data(row.record)) else {
            throw .damaged("anchor")
        }
        let rest = try suite.publicKey(of: correction, operand: "correction")
        guard suite.publicKeyLength == anchor.publicKey.count,
            try suite.sum(setup.peerKey, rest, anchor.publicKey) == setup.clientKey
        else {
            throw .invalid("'correction', the anchor and 'peer_public_key' do not add up to 'client_key'")
        }
    }

    /// The checks that hold for the official clients: lengths, points, and that the halves add up to the wallet's key.
    private static func check(_ setup: ShareSetup) throws(SplitKeyError) -> SplitSuite {
        let suite = try SplitSuite(publicKeyLength: setup.clientKey.count)
        try suite.checkPublicKey(setup.clientKey, operand: "client_key")
        guard setup.peerKey.count == suite.publicKeyLength, setup.publicKey.count == suite.publicKeyLength else {
            throw .invalid("'public_key' and 'peer_public_key' must be as long as 'client_key'")
        }
        try suite.checkPublicKey(setup.peerKey, operand: "peer_public_key")
        guard try WalletName.clientID(of: setup.clientKey) == setup.clientID else {
            throw .invalid("'client_id' is not the SHA3-256 of 'client_key'")
        }
        if case .share(let share) = setup.secret {
            let server = try suite.publicKey(of: share, operand: "private_key")
            guard try suite.sum(server, setup.peerKey) == setup.clientKey else {
                throw .invalid("'private_key' and 'peer_public_key' do not add up to 'client_key'")
            }
        }
        return suite
    }
}

/// How wallets are called.
public enum WalletName {
    /// SHA3-256 of the wallet's encoded public key, in hex.
    public static func clientID(of publicKey: [UInt8]) throws(SplitKeyError) -> String {
        do { return Hexadecimal.encode(try Digest.sha3of256(publicKey)) } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
    }

    /// The canonical, lower-case form of a client id.
    ///
    /// - Throws: `.invalidArgument` for anything but 64 hexadecimal digits.
    public static func parse(_ text: String) throws(SplitKeyError) -> String {
        Hexadecimal.encode(try Hexadecimal.decode(text, count: 32, operand: "client_id"))
    }
}
