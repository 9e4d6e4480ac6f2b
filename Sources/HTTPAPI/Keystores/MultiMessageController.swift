import Encodings
import Hummingbird
import Keystores
import WorkingKeys

/// The routes of signatures over lists of messages (BBS+), and those of CL signatures, which this daemon does not make.
struct MultiMessageController: Sendable {
    let service: any MessageListSigning
    var memberNames = MemberNames.present

    func sign(_ call: RouteCall) async throws -> Response {
        let messages = try await call.body(SignMultiBody.self) { body throws(JSONError) in
            try body.byteStrings(.messages, limit: WorkingKey.maximumMessages)
        }
        let signature = try await service.signMulti(
            keystore: call.keystore, key: call.key, messages: messages, caller: call.caller)
        return memberNames.object { $0.member("signature", bytes: signature) }
    }

    func verify(_ call: RouteCall) async throws -> Response {
        let (signature, messages) = try await call.body(VerifyMultiBody.self) { body throws(JSONError) in
            (try body.bytes(.signature), try body.byteStrings(.messages, limit: WorkingKey.maximumMessages))
        }
        try await service.verifyMulti(
            keystore: call.keystore, key: call.key, signature: signature, messages: messages, caller: call.caller)
        return Responses.json()
    }

    func deriveProof(_ call: RouteCall) async throws -> Response {
        let names = memberNames.isFirst ? DeriveProofBody.firstNames : DeriveProofBody.names
        let request = try await call.body(DeriveProofBody.self, names: names) { body throws(JSONError) in
            ProofRequest(
                signature: try body.bytes(.signature),
                messages: try body.byteStrings(.messages, limit: WorkingKey.maximumMessages),
                revealed: try body.integers(.revealed, limit: WorkingKey.maximumMessages),
                nonce: try body.optionalBytes(.nonce) ?? [])
        }
        let proof = try await service.deriveProof(keystore: call.keystore, key: call.key, request, caller: call.caller)
        return memberNames.object(capacity: Base64.encodedCount(proof.count) + 64) { $0.member("proof", bytes: proof) }
    }

    func verifyProof(_ call: RouteCall) async throws -> Response {
        let (proof, messages, nonce) = try await call.body(VerifyProofBody.self) { body throws(JSONError) in
            (
                try body.bytes(.proof), try body.byteStrings(.messages, limit: WorkingKey.maximumMessages),
                try body.optionalBytes(.nonce) ?? []
            )
        }
        try await service.verifyProof(
            keystore: call.keystore, key: call.key, proof: proof, messages: messages, nonce: nonce, caller: call.caller)
        return Responses.json()
    }

    func unsupported() throws -> Response {
        throw KMSError(.mechanismUnsupported, "This daemon does not make CL signatures; BBS+ is its own route.")
    }
}
