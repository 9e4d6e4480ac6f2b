import Encodings
public import OutboundHTTP
public import SecretMemory

/// The co-signing role in another process, spoken to over HTTP with the caller's own token.
///
/// Requests that carry a secret build it in a buffer that is overwritten afterwards; what the network stack copies is
/// not, so TLS and a short path belong between the two processes.
public struct RemoteAuthority: SplitAuthority {
    private let baseURL: String
    private let client: any OutboundSending

    /// - Parameter baseURL: Of the other process, such as `https://auth.internal:8075/zauth`.
    public init(baseURL: String, client: any OutboundSending) {
        self.baseURL = baseURL
        self.client = client
    }

    public func takeAnchor(
        _ scalar: SharedSecret, suite: SplitSuite, client name: String, caller: SplitCaller
    ) async throws(SplitKeyError) -> (anchor: String, protection: SplitProtection) {
        var body = WireObject()
        body.member("client_id", name)
        body.member("suite", suite.rawValue)
        body.member("scalar", secret: scalar)
        let answer = try await send("POST", "/anchor", body, caller)
        guard let anchor = WireObject.text("anchor", in: answer),
            let protection = WireObject.text("protection", in: answer).flatMap(SplitProtection.init(rawValue:))
        else { throw Self.nonsense }
        return (anchor, protection)
    }

    public func setUp(_ setup: ShareSetup, caller: SplitCaller) async throws(SplitKeyError) {
        var body = WireObject()
        body.member("user_id", (setup.userID ?? caller.user).text)
        body.member("client_id", setup.clientID)
        body.member("client_key", Hexadecimal.encode(setup.clientKey))
        body.member("public_key", Hexadecimal.encode(setup.publicKey))
        body.member("peer_public_key", Hexadecimal.encode(setup.peerKey))
        body.member("restrictions", setup.policy.restrictions)
        body.member("expired_at", setup.policy.expiresAt)
        body.member("allow_message_signing", setup.policy.allowsMessages)
        body.member("verify_txn_hash", setup.policy.verifiesHash)
        switch setup.secret {
        case .share(let share): body.member("private_key", secret: share)
        case .correction(let correction, let anchor):
            body.member("correction", secret: correction)
            body.member("anchor", anchor)
        }
        _ = try await send("POST", "/setup", body, caller)
    }

    public func revoke(client name: String, peerKey: [UInt8], caller: SplitCaller) async throws(SplitKeyError) {
        _ = try await send(
            "POST", "/revoke/\(name)?peer_public_key=\(Hexadecimal.encode(peerKey))", WireObject(), caller)
    }

    public func delete(client name: String, caller: SplitCaller) async throws(SplitKeyError) {
        _ = try await send("POST", "/delete/\(name)", WireObject(), caller)
    }

    public func setRestrictions(
        _ names: [String], allowsMessages: Bool?, client name: String, key: [UInt8], caller: SplitCaller
    ) async throws(SplitKeyError) {
        var body = WireObject()
        body.member("restrictions", names)
        if let allowsMessages { body.member("allow_message_signing", allowsMessages) }
        _ = try await send("PUT", "/restrictions/\(name)", body, caller, key: key)
    }

    private func send(
        _ method: String, _ path: String, _ body: WireObject, _ caller: SplitCaller, key: [UInt8]? = nil
    ) async throws(SplitKeyError) -> [UInt8] {
        var headers = [
            (name: "Content-Type", value: "application/json"), (name: "X-Jwt-Token", value: caller.token),
            (name: "X-Request-Id", value: caller.requestID),
        ]
        if let key { headers.append((name: "X-Peer-Public-Key", value: Hexadecimal.encode(key))) }
        var request = OutboundRequest(method: method, url: baseURL + path, headers: headers, body: body.bytes)
        defer { WireObject.overwrite(&request.body) }
        let answer: OutboundAnswer
        do {
            answer = try await client.send(request)
        } catch {
            throw SplitKeyError(
                .peerUnavailable, "the co-signing server is not available now", underlying: error)
        }
        switch answer.status {
        case 200: return answer.body
        case 400 where ["/revoke/", "/delete/", "/restrictions/"].contains(where: path.startsExactly):
            // 0Chain's status for a key that is not there.
            throw .unknownKey
        case 409: throw SplitKeyError(.conflict, "the co-signing server holds another key of this name, or no anchor")
        case 501: throw SplitKeyError(.unsupported, "the co-signing server's token does not hold keys of this suite")
        case 503: throw SplitKeyError(.tokenUnavailable, "the co-signing server's token or store is not available now")
        default:
            throw SplitKeyError(
                .peerUnavailable, "the co-signing server refused", detail: "it answered \(answer.status)")
        }
    }

    private static let nonsense = SplitKeyError(
        .peerUnavailable, "the co-signing server's answer is not understood")
}
