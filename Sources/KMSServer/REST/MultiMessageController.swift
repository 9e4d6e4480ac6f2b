import Hummingbird
import Keystores
import TextEncodings
import WorkingKeys

/// The routes of signatures over lists of messages (BBS+), and those of CL signatures, which this daemon does not make.
struct MultiMessageController: Sendable {
    let service: any KeystoreServing
    let maximumBody: Int
    var wording = Wording.present

    /// Nil for an action of another controller.
    func answer(
        _ action: Target.Action, _ request: Request, keystore: String, key: String
    ) async throws -> Response? {
        switch action {
        case .signmulti:
            let messages = try await request.members(["messages"], upTo: maximumBody) { members throws(JSONError) in
                try Self.messages(members, 0)
            }
            let signature = try await service.signMulti(keystore: keystore, key: key, messages: messages)
            return wording.object { $0.member("signature", bytes: signature) }
        case .verifymulti:
            let (signature, messages) = try await request.members(["signature", "messages"], upTo: maximumBody) {
                members throws(JSONError) in (try members.bytes(0), try Self.messages(members, 1))
            }
            try await service.verifyMulti(keystore: keystore, key: key, signature: signature, messages: messages)
            return Answer.json()
        case .deriveproof:
            let proof = try await service.deriveProof(
                keystore: keystore, key: key, try await proofRequest(request))
            return wording.object(capacity: Base64.encodedCount(proof.count) + 64) {
                $0.member("proof", bytes: proof)
            }
        case .verifyproof:
            let (proof, messages, nonce) = try await request.members(
                ["proof", "messages", "nonce"], upTo: maximumBody
            ) { members throws(JSONError) in
                (try members.bytes(0), try Self.messages(members, 1), try members.optionalBytes(2) ?? [])
            }
            try await service.verifyProof(
                keystore: keystore, key: key, proof: proof, messages: messages, nonce: nonce)
            return Answer.json()
        case .blind, .correctnessproof, .signwithsecrets:
            throw KMSError(.mechanismUnsupported, "This daemon does not make CL signatures; BBS+ is its own route.")
        default: return nil
        }
    }

    private func proofRequest(_ request: Request) async throws -> ProofRequest {
        try await request.members(["signature", "messages", wording.revealedIndexes, "nonce"], upTo: maximumBody) {
            members throws(JSONError) in
            ProofRequest(
                signature: try members.bytes(0), messages: try Self.messages(members, 1),
                revealed: try members.integers(2, limit: WorkingKey.maximumMessages),
                nonce: try members.optionalBytes(3) ?? [])
        }
    }

    private static func messages(_ members: JSONMembers, _ index: Int) throws(JSONError) -> [[UInt8]] {
        try members.byteStrings(index, limit: WorkingKey.maximumMessages)
    }
}
