import HTTPTypes
import Hummingbird
import SecretMemory
import SplitKeys
import TextEncodings

/// The routes of the vault.
struct VaultController: Sendable {
    let service: VaultService

    func answer(_ route: SplitTarget.Vault, _ call: SplitCall, _ caller: SplitCaller) async throws -> Response {
        switch route {
        case .wallet:
            let suite = try await call.members(["suite"]) { try Self.suite($0, 0) }
            let wallet = try await service.createWallet(suite: suite ?? .bls0chain, caller: caller)
            return Answer.object(capacity: 512) { $0.write(wallet) }
        case .store:
            // The mnemonic is read and forgotten: kept, it would be the master key beside its anchor.
            let (secret, suite) = try await call.secretMembers(["private_key", "mnemonic", "suite"]) { members in
                (try members.optionalHexSecret(0, count: 32), try Self.suite(members, 2))
            }
            guard let secret else { throw SplitRefusal(status: 400, message: "'private_key' is missing") }
            let wallet = try await service.store(secret, suite: suite ?? .bls0chain, caller: caller)
            return Answer.object(capacity: 512) { writer in
                writer.member("result", "success")
                writer.write(wallet)
            }
        case .key(let client):
            let key = try await service.createKey(
                client: try WalletName.parse(client), options: try await Self.options(call), caller: caller)
            return Answer.object(capacity: 1024) { $0.write(key) }
        case .keys(let client):
            let keys = try await service.keys(client: try WalletName.parse(client), caller: caller)
            return Answer.object(capacity: 64 + 1024 * keys.count) { writer in
                writer.member("keys", array: keys) { $0.write($1) }
            }
        case .wallets:
            let wallets = try await service.wallets(caller: caller)
            return Answer.json(JSONWriter.array(wallets) { $0.writeAsKey($1) })
        case .sharedWallets:
            let keys = try await service.sharedKeys(caller: caller)
            return Answer.json(JSONWriter.array(keys) { $0.write($1) })
        case .share:
            let (publicKey, target) = try await call.members(["public_key", "target_user_id"]) {
                (try $0.text(0), try $0.text(1))
            }
            try await service.share(
                publicKey: try SplitCall.publicKey(publicKey, "public_key"), to: target, caller: caller)
            return Answer.success
        case .restrictions:
            return Answer.json(
                JSONWriter.array(texts: try await service.restrictions(key: try call.peerKey(), caller: caller)))
        case .setRestrictions(let client):
            let names = try await call.members(["restrictions"]) { try $0.optionalTexts(0) ?? [] }
            try await service.setRestrictions(
                names, client: try WalletName.parse(client), key: try call.peerKey(), caller: caller)
            return Answer.success
        case .revoke(let client):
            let key = try SplitCall.publicKey(try await call.parameter("public_key"), "public_key")
            try await service.revoke(client: try WalletName.parse(client), publicKey: key, caller: caller)
            return Answer.success
        case .delete(let client):
            try await service.delete(client: try WalletName.parse(client), caller: caller)
            return Answer.success
        case .generate:
            let wallet = try await service.createWallet(suite: .bls0chain, caller: caller)
            return try await generated(wallet.clientID, caller)
        case .generateKey(let client): return try await generated(try WalletName.parse(client), caller)
        }
    }

    /// The legacy answer: a wallet with one split key, as clients store it.
    private func generated(_ client: String, _ caller: SplitCaller) async throws -> Response {
        let key = try await service.createKey(client: client, options: SplitKeyOptions(), caller: caller)
        return Answer.object(capacity: 1024) { writer in
            writer.member("client_id", key.wallet.clientID)
            writer.member("client_key", Hexadecimal.encode(key.wallet.clientKey))
            writer.member("peer_public_key", Hexadecimal.encode(key.peerKey))
            writer.member("keys", array: [key]) { writer, key in
                writer.member("public_key", Hexadecimal.encode(key.publicKey))
                if let share = key.share { writer.member("private_key", hexSecret: share) }
            }
            writer.member("mnemonics", "")
            writer.member("version", "1.0")
            writer.member("date_created", Timestamp(seconds: key.createdAt).rfc3339(digits: 0))
            writer.member("nonce", 0)
            writer.member("is_split", true)
        }
    }

    static func suite(_ members: JSONMembers, _ index: Int) throws -> SplitSuite? {
        guard let name = try members.optionalText(index) else { return nil }
        guard let suite = SplitSuite(rawValue: name) else {
            let known = SplitSuite.allCases.map(\.rawValue).joined(separator: ", ")
            throw SplitRefusal(status: 400, message: "'suite' must be one of \(known)")
        }
        return suite
    }

    private static func options(_ call: SplitCall) async throws -> SplitKeyOptions {
        try await call.members([
            "restrictions", "expires_at", "allow_message_signing", "verify_txn_hash", "return_user_share_once", "suite",
        ]) { members in
            var options = SplitKeyOptions()
            options.restrictions = try members.optionalTexts(0) ?? []
            options.expiresAt = try members.optionalInteger(1, as: Int64.self) ?? 0
            options.allowsMessages = try members.optionalFlag(2)
            options.verifiesHash = try members.optionalFlag(3)
            options.returnsShareOnce = try members.optionalFlag(4) ?? false
            options.suite = try suite(members, 5)
            return options
        }
    }
}

extension Answer {
    /// What the original's older clients insist on; it does no harm elsewhere.
    static var success: Response { object { $0.member("result", "success") } }
}

extension JSONWriter {
    fileprivate mutating func write(_ wallet: SplitWallet) {
        member("client_id", wallet.clientID)
        member("client_key", Hexadecimal.encode(wallet.clientKey))
        member("version", "1.0")
        member("date_created", Timestamp(seconds: wallet.createdAt).rfc3339(digits: 0))
        member("suite", wallet.suite.rawValue)
        member("protection", wallet.protection.rawValue)
    }

    fileprivate mutating func write(_ key: SplitKey) {
        write(
            key.wallet, publicKey: Hexadecimal.encode(key.publicKey), peerKey: Hexadecimal.encode(key.peerKey),
            share: key.share, sharedTo: key.sharedTo, isRevoked: key.isRevoked, createdAt: key.createdAt,
            policy: key.policy)
    }

    /// A wallet in the shape of a split key, with the share's members empty.
    fileprivate mutating func writeAsKey(_ wallet: SplitWallet) {
        write(
            wallet, publicKey: "", peerKey: "", share: nil, sharedTo: "", isRevoked: false,
            createdAt: wallet.createdAt, policy: nil)
    }

    private mutating func write(
        _ wallet: SplitWallet, publicKey: String, peerKey: String, share: SharedSecret?, sharedTo: String,
        isRevoked: Bool, createdAt: Int64, policy: SplitPolicy?
    ) {
        member("user_id", wallet.userID)
        member("client_id", wallet.clientID)
        member("client_key", Hexadecimal.encode(wallet.clientKey))
        if let share { member("private_key", hexSecret: share) } else { member("private_key", "") }
        member("public_key", publicKey)
        member("peer_public_key", peerKey)
        member("mnemonics", "")
        member("shared_to", sharedTo)
        member("is_revoked", isRevoked)
        member("created_at", Int(createdAt))
        member("expires_at", Int(policy?.expiresAt ?? 0))
        member("suite", wallet.suite.rawValue)
        member("protection", wallet.protection.rawValue)
        guard let policy else { return }
        member("restrictions", texts: policy.restrictions)
        member("allow_message_signing", policy.allowsMessages)
        member("verify_txn_hash", policy.verifiesHash)
    }
}
