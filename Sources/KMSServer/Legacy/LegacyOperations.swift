import Hummingbird
import Keystores
import TextEncodings
import WorkingKeys

/// Using a key through the routes of the first generation.
struct LegacyOperations: Sendable {
    let service: any KeystoreServing
    let maximumBody: Int

    func answer(
        _ action: Target.Action, _ request: Request, keystore: String, key: String
    ) async throws -> Response {
        switch action {
        case .export:
            let publicKey = try await service.exportKey(keystore: keystore, key: key).publicKey
            return LegacyAnswer.object { $0.member("publicKey", bytes: publicKey) }
        case .encrypt:
            let (message, aad) = try await members(request, ["message", "aad"]) { members throws(JSONError) in
                (try members.bytes(0), try members.optionalBytes(1) ?? [])
            }
            let (ciphertext, nonce) = try await service.encrypt(
                keystore: keystore, key: key, message: message, associatedData: aad)
            return LegacyAnswer.object(capacity: Base64.encodedCount(ciphertext.count) + 128) { writer in
                writer.member("cipherText", bytes: ciphertext)
                writer.member("nonce", bytes: nonce)
            }
        case .decrypt:
            let (ciphertext, aad, nonce) = try await members(request, ["ciphertext", "aad", "nonce"]) {
                members throws(JSONError) in
                (try members.bytes(0), try members.optionalBytes(1) ?? [], try members.bytes(2))
            }
            let plaintext = try await service.decrypt(
                keystore: keystore, key: key, ciphertext: ciphertext, associatedData: aad, nonce: nonce)
            return LegacyAnswer.object(capacity: Base64.encodedCount(plaintext.count) + 64) {
                $0.member("plainText", bytes: plaintext)
            }
        case .sign:
            let message = try await members(request, ["message"]) { members throws(JSONError) in try members.bytes(0) }
            let signature = try await service.sign(keystore: keystore, key: key, message: message)
            return LegacyAnswer.object { $0.member("signature", bytes: signature) }
        case .computemac:
            let data = try await members(request, ["data"]) { members throws(JSONError) in try members.bytes(0) }
            let mac = try await service.computeMAC(keystore: keystore, key: key, data: data)
            return LegacyAnswer.object { $0.member("mac", bytes: mac) }
        case .verify:
            let (signature, message) = try await pair(request, ["signature", "message"])
            try await service.verify(keystore: keystore, key: key, signature: signature, message: message)
            return Answer.json()
        case .verifymac:
            let (mac, data) = try await pair(request, ["mac", "data"])
            try await service.verifyMAC(keystore: keystore, key: key, mac: mac, data: data)
            return Answer.json()
        default: return try await answerMulti(action, request, keystore, key)
        }
    }

    private func answerMulti(
        _ action: Target.Action, _ request: Request, _ keystore: String, _ key: String
    ) async throws -> Response {
        switch action {
        case .signmulti:
            let messages = try await members(request, ["messages"]) { members throws(JSONError) in
                try Self.messages(members, 0)
            }
            let signature = try await service.signMulti(keystore: keystore, key: key, messages: messages)
            return LegacyAnswer.object { $0.member("signature", bytes: signature) }
        case .verifymulti:
            let (signature, messages) = try await members(request, ["signature", "messages"]) {
                members throws(JSONError) in (try members.bytes(0), try Self.messages(members, 1))
            }
            try await service.verifyMulti(keystore: keystore, key: key, signature: signature, messages: messages)
            return Answer.json()
        case .deriveproof:
            let wanted = try await members(request, ["signature", "messages", "revealedindexes", "nonce"]) {
                members throws(JSONError) in
                ProofRequest(
                    signature: try members.bytes(0), messages: try Self.messages(members, 1),
                    revealed: try members.integers(2, limit: WorkingKey.maximumMessages),
                    nonce: try members.optionalBytes(3) ?? [])
            }
            let proof = try await service.deriveProof(keystore: keystore, key: key, wanted)
            return LegacyAnswer.object(capacity: Base64.encodedCount(proof.count) + 64) {
                $0.member("proof", bytes: proof)
            }
        case .verifyproof:
            let (proof, messages, nonce) = try await members(request, ["proof", "messages", "nonce"]) {
                members throws(JSONError) in
                (try members.bytes(0), try Self.messages(members, 1), try members.optionalBytes(2) ?? [])
            }
            try await service.verifyProof(
                keystore: keystore, key: key, proof: proof, messages: messages, nonce: nonce)
            return Answer.json()
        default: return Answer.notFound()
        }
    }

    private func pair(_ request: Request, _ names: [StaticString]) async throws -> ([UInt8], [UInt8]) {
        try await members(request, names) { members throws(JSONError) in (try members.bytes(0), try members.bytes(1)) }
    }

    private func members<R>(
        _ request: Request, _ names: [StaticString], _ read: (JSONMembers) throws(JSONError) -> R
    ) async throws -> R {
        try await request.members(names, upTo: maximumBody, read)
    }

    private static func messages(_ members: JSONMembers, _ index: Int) throws(JSONError) -> [[UInt8]] {
        try members.byteStrings(index, limit: WorkingKey.maximumMessages)
    }
}
