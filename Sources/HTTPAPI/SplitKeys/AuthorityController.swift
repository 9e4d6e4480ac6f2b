import Audit
import Encodings
import HTTPTypes
import Hummingbird
import LibCrypto
import SecretMemory
import SplitKeys

/// The routes of the co-signing role.
struct AuthorityController: Sendable {
    let service: AuthorityService
    let receipts: ReceiptIssuer?
    /// Whether `sign/txn` answers the whole transaction.
    let returnsTransactions: Bool

    func setUp(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        try await service.setUp(try await setup(call), caller: caller)
        return Responses.success
    }

    func key(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        let time = try await service.lastUsed(client: try call.wallet(), key: try call.peerKey(), caller: caller)
        return Responses.object { $0.member("last_used", Int(time)) }
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
        let key = try SplitKeyText.publicKey(try await call.parameter("peer_public_key"), "peer_public_key")
        try await service.revoke(client: try call.wallet(), peerKey: key, caller: caller)
        return Responses.success
    }

    func delete(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        try await service.delete(client: try call.wallet(), caller: caller)
        return Responses.success
    }

    func takeAnchor(_ call: RouteCall, _ caller: SplitCaller) async throws -> Response {
        let (client, scalar, suite) = try await call.exactSecretBody(AnchorBody.self) { body in
            (
                try WalletName.parse(try body.text(.clientID)), try body.optionalHexSecret(.scalar, count: 32),
                try SplitKeyText.suite(try body.optionalText(.suite))
            )
        }
        guard let scalar else { throw SplitRefusal(status: 400, message: "'scalar' is missing") }
        let taken = try await service.takeAnchor(
            scalar, suite: suite ?? .bls0chain, client: client, caller: caller)
        return Responses.object { writer in
            writer.member("anchor", taken.anchor)
            writer.member("protection", taken.protection.rawValue)
        }
    }

    // MARK: Signing

    func signMessage(_ call: RouteCall) async throws -> Response {
        let peerKey = try call.peerKey()
        let (share, hash, client) = try await call.exactBody(SignMessageBody.self) { body in
            let hash = try Hexadecimal.decode(try body.text(.hash), count: 32, operand: "hash")
            let client = try WalletName.parse(try body.text(.clientID))
            return (try SplitKeyText.signature(try body.optionalText(.signature)), hash, client)
        }
        let result = try await cosign(call, peerKey, share, .message(hash: hash, clientID: client))
        return try await withReceipt(
            Responses.object { $0.member("sig", Hexadecimal.encode(result.signature)) }, call, result)
    }

    func signTransaction(_ call: RouteCall) async throws -> Response {
        let peerKey = try call.peerKey()
        let (share, transaction, echo) = try await call.exactBody(TransactionBody.self) { body in
            let transaction = try SplitTransaction(body)
            return (
                try SplitKeyText.signature(try body.optionalText(.signature)), transaction,
                returnsTransactions ? try TransactionEcho(body) : nil
            )
        }
        let result = try await cosign(call, peerKey, share, .transaction(transaction))
        let text = Hexadecimal.encode(result.signature)
        let response =
            echo.map { echo in Responses.object(capacity: 1024) { echo.write(to: &$0, signature: text) } }
            ?? Responses.json(JSONWriter.text(text))
        return try await withReceipt(response, call, result)
    }

    private func cosign(
        _ call: RouteCall, _ peerKey: [UInt8], _ share: [UInt8], _ payload: CosignRequest.Payload
    ) async throws -> Cosignature {
        try await service.cosign(
            CosignRequest(
                peerKey: peerKey, share: share, payload: payload, user: call.user?.user,
                address: call.connection.subscriber, requestID: call.id.own))
    }

    /// Adds, if the request asks for it, what `kmsd receipt verify` checks offline: that this key, so restricted, signed this
    /// message as that record of the chain says.
    private func withReceipt(
        _ response: Response, _ call: RouteCall, _ result: Cosignature
    ) async throws -> Response {
        guard call.request.headers[.receiptRequest] == "1" else { return response }
        guard let receipts else { throw SplitRefusal(status: 501, message: "this server gives no receipts") }
        var response = response
        do {
            response.headers[.receipt] = try await receipts.issue(
                policyHash: try result.policy.hash(), restrictions: result.policy.restrictions,
                subject: result.subject, messageHash: try Digest.sha256(result.hash), record: result.position
            ).json
        } catch let error as AuditError {
            throw SplitRefusal(
                status: 503, message: "the receipt cannot be signed now; ask without X-Receipt-Request",
                detail: "\(error)")
        }
        return response
    }

    // MARK: Set-up

    private func setup(_ call: RouteCall) async throws -> ShareSetup {
        try await call.exactSecretBody(SetUpBody.self) { body in
            let user = try body.optionalText(.userID)
            let correction = try body.optionalHexSecret(.correction, count: 32)
            let share = try body.optionalHexSecret(.share, count: 32)
            let anchor = try body.optionalText(.anchor)
            let secret: ShareSetup.Secret
            switch (share, correction, anchor) {
            case (let share?, nil, nil): secret = .share(share)
            case (nil, let correction?, let anchor?): secret = .correction(correction, anchor: anchor)
            default: throw SplitRefusal(status: 400, message: "'private_key' is missing")
            }
            guard try body.optionalFlag(.isRevoked) != true else {
                throw SplitRefusal(status: 400, message: "'is_revoked' must be false: a revoked key is not set up")
            }
            let expiry = try body.optionalInteger(.expiresAt, as: Int64.self) ?? 0
            guard expiry >= 0 else {
                throw SplitRefusal(status: 400, message: "'expired_at' must be 0 or a time in Unix seconds")
            }
            // Between our own roles every switch is given; an original vault knows none of them.
            let allowsMessages = try body.optionalFlag(.allowsMessages)
            let verifiesHash = try body.optionalFlag(.verifiesHash)
            return ShareSetup(
                userID: user.flatMap { $0.isEmpty ? nil : ExactText($0) },
                clientID: try WalletName.parse(try body.text(.clientID)),
                clientKey: try SplitKeyText.publicKey(try body.text(.clientKey), "client_key"),
                publicKey: try SplitKeyText.publicKey(try body.text(.publicKey), "public_key"),
                peerKey: try SplitKeyText.publicKey(try body.text(.peerKey), "peer_public_key"), secret: secret,
                policy: SplitPolicy(
                    restrictions: try Restrictions.check(try body.optionalTexts(.restrictions) ?? []),
                    expiresAt: expiry, allowsMessages: allowsMessages ?? service.allowsForeignMessages,
                    verifiesHash: verifiesHash ?? false),
                isForeign: verifiesHash == nil)
        }
    }
}

extension SplitTransaction {
    fileprivate init(_ body: JSONBody<TransactionBody>) throws {
        let data = try body.optionalText(.data) ?? ""
        self.init(
            hash: try Hexadecimal.decode(try body.text(.hash), count: 32, operand: "hash"),
            clientID: try WalletName.parse(try body.text(.clientID)),
            publicKey: try body.optionalText(.publicKey) ?? "", receiver: try body.optionalText(.receiver) ?? "",
            value: try body.optionalInteger(.value, as: UInt64.self) ?? 0,
            nonce: try body.optionalInteger(.nonce, as: Int64.self) ?? 0,
            createdAt: try body.optionalInteger(.createdAt, as: Int64.self) ?? 0, data: data,
            function: Self.function(data))
    }

    /// The function that a transaction's data names. Nothing is guessed: whatever the chain's reader might understand
    /// in another way, such as a second name in another case, names no function.
    private static func function(_ data: String) -> String? {
        try? Array(data.utf8).withUnsafeBytes { bytes in
            try JSONBody<TransactionDataBody>(bytes, exactly: true).optionalText(.name)
        }
    }
}
