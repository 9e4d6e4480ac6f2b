import Encodings
import Hummingbird
import SecretMemory
import SplitKeys

/// The routes of the vault.
struct VaultController: Sendable {
    let service: VaultService

    // MARK: Wallets

    func createWallet(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        let suite = try await call.exactBody(WalletBody.self) { try SplitKeyText.suite(try $0.optionalText(.suite)) }
        let wallet = try await service.createWallet(suite: suite ?? .bls0chain, caller: caller)
        return Responses.object(capacity: 512) { $0.write(wallet) }
    }

    func store(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        let (secret, suite) = try await call.exactSecretBody(StoreBody.self) { body in
            (
                try body.optionalHexSecret(.privateKey, count: 32),
                try SplitKeyText.suite(try body.optionalText(.suite))
            )
        }
        guard let secret else { throw SplitRefusal(status: 400, message: "'private_key' is missing") }
        let wallet = try await service.store(secret, suite: suite ?? .bls0chain, caller: caller)
        return Responses.object(capacity: 512) { writer in
            writer.member("result", "success")
            writer.write(wallet)
        }
    }

    func wallets(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        let wallets = try await service.wallets(caller: caller)
        return Responses.json(JSONWriter.array(wallets) { $0.writeAsKey($1) })
    }

    func sharedWallets(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        let keys = try await service.sharedKeys(caller: caller)
        return Responses.json(JSONWriter.array(keys) { $0.write($1) })
    }

    func delete(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        try await service.delete(client: try call.wallet(), caller: caller)
        return Responses.success
    }

    // MARK: Keys

    func createKey(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        let client = try call.wallet()
        let options = try await call.exactBody(SplitKeyBody.self) { body in
            var options = SplitKeyOptions()
            options.restrictions = try body.optionalTexts(.restrictions) ?? []
            options.expiresAt = try body.optionalInteger(.expiresAt, as: Int64.self) ?? 0
            options.allowsMessages = try body.optionalFlag(.allowsMessages)
            options.verifiesHash = try body.optionalFlag(.verifiesHash)
            options.returnsShareOnce = try body.optionalFlag(.returnsShareOnce) ?? false
            options.suite = try SplitKeyText.suite(try body.optionalText(.suite))
            return options
        }
        let key = try await service.createKey(client: client, options: options, caller: caller)
        return Responses.object(capacity: 1024) { $0.write(key) }
    }

    func keys(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        let keys = try await service.keys(client: try call.wallet(), caller: caller)
        return Responses.object(capacity: 64 + 1024 * keys.count) { writer in
            writer.member("keys", array: keys) { $0.write($1) }
        }
    }

    func share(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        let (publicKey, target) = try await call.exactBody(ShareBody.self) {
            (try $0.text(.publicKey), try $0.text(.user))
        }
        try await service.share(
            publicKey: try SplitKeyText.publicKey(publicKey, "public_key"), to: ExactText(target), caller: caller)
        return Responses.success
    }

    func restrictions(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        Responses.json(JSONWriter.array(texts: try await service.restrictions(key: try call.peerKey(), caller: caller)))
    }

    func setRestrictions(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        let (names, allowsMessages) = try await call.exactBody(RestrictionsBody.self) {
            (try $0.optionalTexts(.restrictions) ?? [], try $0.optionalFlag(.allowsMessages))
        }
        try await service.setRestrictions(
            names, allowsMessages: allowsMessages, client: try call.wallet(), key: try call.peerKey(), caller: caller)
        return Responses.success
    }

    func revoke(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        let key = try SplitKeyText.publicKey(try await call.parameter("public_key"), "public_key")
        try await service.revoke(client: try call.wallet(), publicKey: key, caller: caller)
        return Responses.success
    }

    // MARK: The old way: a wallet with one split key

    func generate(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        let wallet = try await service.createWallet(suite: .bls0chain, caller: caller)
        return try await generated(wallet.clientID, caller)
    }

    func generateKey(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        try await generated(try call.wallet(), caller)
    }

    /// The answer as clients store it.
    private func generated(_ client: String, _ caller: SplitCaller) async throws -> Response {
        let key = try await service.createKey(client: client, options: SplitKeyOptions(), caller: caller)
        return Responses.object(capacity: 1024) { writer in
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
}

extension Responses {
    /// What 0Chain's older clients insist on; it does no harm elsewhere.
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
            share: key.share, sharedTo: key.sharedTo.text, isRevoked: key.isRevoked, createdAt: key.createdAt,
            policy: key.policy)
        if key.isDamaged { member("damaged", true) }
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
        member("user_id", wallet.userID.text)
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
