import Encodings
import SecretMemory
import TestSupport

@testable import SplitKeys

extension OfficialKey {
    static func bytes(_ hex: String) -> [UInt8] { Hexadecimal.decode(hex) ?? [] }

    static func setup(
        _ restrictions: [String] = [], publicKey: String = clientKey, expiresAt: Int64 = 0
    ) throws -> ShareSetup {
        let secret = bytes(share)
        return ShareSetup(
            userID: nil, clientID: clientID, clientKey: bytes(clientKey), publicKey: bytes(publicKey),
            peerKey: bytes(peerKey),
            secret: .share(SharedSecret(try SecretBytes.make(count: 32) { $0.copyBytes(from: secret) })),
            policy: SplitPolicy(
                restrictions: restrictions, expiresAt: expiresAt, allowsMessages: true, verifiesHash: false),
            isForeign: true)
    }

    static func message(client: String = clientID) -> CosignRequest {
        CosignRequest(
            peerKey: bytes(peerKey), share: bytes(half), payload: .message(hash: bytes(hash), clientID: client),
            user: nil, requestID: "request")
    }

    static func transaction(function: String? = "cancel_allocation") -> CosignRequest {
        CosignRequest(
            peerKey: bytes(peerKey), share: bytes(half),
            payload: .transaction(
                SplitTransaction(
                    hash: bytes(hash), clientID: clientID, publicKey: clientKey, receiver: "", value: 0, nonce: 0,
                    createdAt: 0, data: "", function: function)),
            user: nil, requestID: "request")
    }
}
