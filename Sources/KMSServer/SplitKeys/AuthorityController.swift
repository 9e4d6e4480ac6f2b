import Audit
import HTTPTypes
import Hummingbird
import LibCrypto
import SecretMemory
import SplitKeys
import TextEncodings

/// The routes of the co-signing role.
struct AuthorityController: Sendable {
    let service: AuthorityService
    let receipts: ReceiptIssuer?
    /// Whether `sign/txn` answers the whole transaction.
    let returnsTransactions: Bool

    func answer(_ route: SplitTarget.Authority, _ call: SplitCall, _ caller: SplitCaller) async throws -> Response {
        switch route {
        case .setup:
            let setup = try await setup(call)
            try await service.setUp(setup, caller: caller)
            return Answer.success
        case .anchor: return try await anchor(call, caller)
        case .key(let client):
            let time = try await service.lastUsed(
                client: try WalletName.parse(client), key: try call.peerKey(), caller: caller)
            return Answer.object { $0.member("last_used", Int(time)) }
        case .restrictions(let client):
            let names = try await call.members(["restrictions"]) { try $0.optionalTexts(0) ?? [] }
            try await service.setRestrictions(
                names, client: try WalletName.parse(client), key: try call.peerKey(), caller: caller)
            return Answer.success
        case .revoke(let client):
            let key = try SplitCall.publicKey(try await call.parameter("peer_public_key"), "peer_public_key")
            try await service.revoke(client: try WalletName.parse(client), peerKey: key, caller: caller)
            return Answer.success
        case .delete(let client):
            try await service.delete(client: try WalletName.parse(client), caller: caller)
            return Answer.success
        case .signMessage, .signTransaction: return Answer.notFound()
        }
    }

    // MARK: Signing

    func sign(
        _ route: SplitTarget.Authority, _ call: SplitCall, user: String?, address: String
    ) async throws -> Response {
        let peerKey = try call.peerKey()
        let isMessage = route == .signMessage
        let request = isMessage ? try await message(call) : try await transaction(call)
        let result = try await service.cosign(
            CosignRequest(
                peerKey: peerKey, share: request.share, payload: request.payload, user: user, address: address,
                requestID: call.requestID))
        let text = Hexadecimal.encode(result.signature)
        var response: Response
        if let echo = request.echo {
            response = Answer.object(capacity: 1024) { echo.write(to: &$0, signature: text) }
        } else {
            response = isMessage ? Answer.object { $0.member("sig", text) } : Answer.json(JSONWriter.text(text))
        }
        if call.request.headers[.receiptRequest] == "1" { response.headers[.receipt] = try await receipt(result) }
        return response
    }

    /// What a signing request says.
    private struct SigningRequest {
        var share: [UInt8]
        var payload: CosignRequest.Payload
        /// The transaction to answer with; nil where the signature alone is the answer.
        var echo: TransactionEcho?
    }

    /// What `kmsd receipt verify` checks offline: that this key, so restricted, signed this message as that record of the
    /// chain says.
    private func receipt(_ result: Cosignature) async throws -> String {
        guard let receipts else { throw SplitRefusal(status: 501, message: "this server gives no receipts") }
        do {
            return try await receipts.issue(
                policyHash: try result.policy.hash(), restrictions: result.policy.restrictions,
                subject: result.subject, messageHash: try Digest.sha256(result.hash), record: result.position
            ).json
        } catch let error as AuditError {
            throw SplitRefusal(
                status: 503, message: "the receipt cannot be signed now; ask without X-Receipt-Request",
                detail: "\(error)")
        }
    }

    private func message(_ call: SplitCall) async throws -> SigningRequest {
        try await call.members(["hash", "signature", "client_id"]) { members in
            let hash = try Hexadecimal.decode(try members.text(0), count: 32, operand: "hash")
            let client = try WalletName.parse(try members.text(2))
            return SigningRequest(
                share: try Self.signature(members, 1), payload: .message(hash: hash, clientID: client))
        }
    }

    private func transaction(_ call: SplitCall) async throws -> SigningRequest {
        try await call.members(TransactionEcho.names) { members in
            let data = try members.optionalText(8) ?? ""
            let transaction = SplitTransaction(
                hash: try Hexadecimal.decode(try members.text(0), count: 32, operand: "hash"),
                clientID: try WalletName.parse(try members.text(2)), publicKey: try members.optionalText(3) ?? "",
                receiver: try members.optionalText(4) ?? "",
                value: try members.optionalInteger(5, as: UInt64.self) ?? 0,
                nonce: try members.optionalInteger(6, as: Int64.self) ?? 0,
                createdAt: try members.optionalInteger(7, as: Int64.self) ?? 0, data: data,
                function: Self.function(data))
            return SigningRequest(
                share: try Self.signature(members, 1), payload: .transaction(transaction),
                echo: returnsTransactions ? try TransactionEcho(members) : nil)
        }
    }

    private static func signature(_ members: JSONMembers, _ index: Int) throws -> [UInt8] {
        let text = try members.optionalText(index) ?? ""
        guard let bytes = Hexadecimal.decode(text, .either),
            SplitSuite.allCases.contains(where: { $0.signatureLength == bytes.count })
        else {
            throw SplitRefusal(
                status: 400, message: "'signature' must be \(SplitSuite.digits(\.signatureLength)) hexadecimal digits")
        }
        return bytes
    }

    /// The function that a transaction's data names. Nothing is guessed: whatever the chain's reader might understand
    /// in another way, such as a second name in another case, names no function.
    private static func function(_ data: String) -> String? {
        try? Array(data.utf8).withUnsafeBytes { bytes in
            try JSONMembers(bytes, ["name", "input"], exactly: true).optionalText(0)
        }
    }

    // MARK: Set-up

    private func setup(_ call: SplitCall) async throws -> ShareSetup {
        let names: [StaticString] = [
            "user_id", "client_id", "client_key", "public_key", "private_key", "peer_public_key", "restrictions",
            "expired_at", "is_revoked", "correction", "anchor", "allow_message_signing", "verify_txn_hash",
        ]
        return try await call.secretMembers(names) { members in
            let user = try members.optionalText(0)
            let correction = try members.optionalHexSecret(9, count: 32)
            let share = try members.optionalHexSecret(4, count: 32)
            let anchor = try members.optionalText(10)
            let secret: ShareSetup.Secret
            switch (share, correction, anchor) {
            case (let share?, nil, nil): secret = .share(share)
            case (nil, let correction?, let anchor?): secret = .correction(correction, anchor: anchor)
            default: throw SplitRefusal(status: 400, message: "'private_key' is missing")
            }
            guard try members.optionalFlag(8) != true else {
                throw SplitRefusal(status: 400, message: "'is_revoked' must be false: a revoked key is not set up")
            }
            let expiry = try members.optionalInteger(7, as: Int64.self) ?? 0
            guard expiry >= 0 else {
                throw SplitRefusal(status: 400, message: "'expired_at' must be 0 or a time in Unix seconds")
            }
            // Between our own roles every switch is given; an original vault knows none of them.
            let allowsMessages = try members.optionalFlag(11)
            let verifiesHash = try members.optionalFlag(12)
            return ShareSetup(
                userID: user?.isEmpty == true ? nil : user, clientID: try WalletName.parse(try members.text(1)),
                clientKey: try SplitCall.publicKey(try members.text(2), "client_key"),
                publicKey: try SplitCall.publicKey(try members.text(3), "public_key"),
                peerKey: try SplitCall.publicKey(try members.text(5), "peer_public_key"), secret: secret,
                policy: SplitPolicy(
                    restrictions: try Restrictions.check(try members.optionalTexts(6) ?? []), expiresAt: expiry,
                    allowsMessages: allowsMessages ?? service.allowsForeignMessages,
                    verifiesHash: verifiesHash ?? false),
                isForeign: verifiesHash == nil)
        }
    }

    private func anchor(_ call: SplitCall, _ caller: SplitCaller) async throws -> Response {
        let (client, scalar, suite) = try await call.secretMembers(["client_id", "scalar", "suite"]) { members in
            (
                try WalletName.parse(try members.text(0)), try members.optionalHexSecret(1, count: 32),
                try VaultController.suite(members, 2)
            )
        }
        guard let scalar else { throw SplitRefusal(status: 400, message: "'scalar' is missing") }
        let taken = try await service.takeAnchor(
            scalar, suite: suite ?? .bls0chain, client: client, caller: caller)
        return Answer.object { writer in
            writer.member("anchor", taken.anchor)
            writer.member("protection", taken.protection.rawValue)
        }
    }
}
