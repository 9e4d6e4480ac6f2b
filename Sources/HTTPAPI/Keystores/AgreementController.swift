import Encodings
import Hummingbird
import Keystores
import SecretMemory
import WorkingKeys

/// The routes of key agreement: wrapping content keys, and NaCl boxes.
///
/// One generation of clients has a route for each box operation, the next sends them to wrap and unwrap; both work.
struct AgreementController: Sendable {
    let service: any KeyAgreeing

    /// Wraps for a recipient who does not learn by whom; of the keystore alone.
    func wrapAnonymously(_ call: RouteCall) async throws -> Response {
        let body = try await call.request.withSecretBody(upTo: call.bodyLimit) { try AgreementCall.Wrap($0) }
        let wrapped = try await service.wrap(
            keystore: call.keystore, contentKey: body.contentKey, recipient: body.recipient, apu: body.apu,
            apv: body.apv, options: body.options, caller: call.caller)
        return Responses.object(capacity: 1024) { $0.write(wrapped) }
    }

    /// Wraps as a sender, or, without a content key, boxes.
    func wrap(_ call: RouteCall) async throws -> Response {
        let asked = try await call.request.withSecretBody(upTo: call.bodyLimit) { try AgreementCall(wrap: $0) }
        guard case .wrap(let body) = asked else { return try await answer(asked, call) }
        let wrapped = try await service.wrap(
            keystore: call.keystore, sender: call.key, contentKey: body.contentKey, recipient: body.recipient,
            apu: body.apu, apv: body.apv, tag: body.tag, options: body.options, caller: call.caller)
        return Responses.object(capacity: 1024) { $0.write(wrapped) }
    }

    /// Unwraps, or, without a wrapped key, opens a box; one that does not open as such may be a sealed one.
    func unwrap(_ call: RouteCall) async throws -> Response {
        let asked = try await call.request.withSecretBody(upTo: call.bodyLimit) { try AgreementCall(unwrap: $0) }
        return try await answer(asked, call)
    }

    func easy(_ call: RouteCall) async throws -> Response {
        try await answer(try await call.secretBody(EasyBody.self) { body, _ in try AgreementCall(body) }, call)
    }

    func easyOpen(_ call: RouteCall) async throws -> Response {
        let asked = try await call.secretBody(EasyOpenBody.self) { body, _ in
            try AgreementCall(body, mayBeSealed: false)
        }
        return try await answer(asked, call)
    }

    func sealOpen(_ call: RouteCall) async throws -> Response {
        try await answer(try await call.secretBody(SealOpenBody.self) { body, _ in try AgreementCall(body) }, call)
    }

    private func answer(_ body: AgreementCall, _ call: RouteCall) async throws -> Response {
        // Of the keystore alone, a box names its key by its public half.
        let key = call.key.isEmpty ? nil : call.key
        switch body {
        case .wrap: return Responses.notFound()
        case .unwrap(let wrapped, let sender, let tag):
            let contentKey = try await service.unwrap(
                keystore: call.keystore, key: call.key, wrapped: wrapped, sender: sender, tag: tag, caller: call.caller)
            return Responses.object { $0.member("key", secret: contentKey) }
        case .easy(let payload, let nonce, let peer):
            let box = try await service.easy(
                keystore: call.keystore, key: call.key, payload: payload, nonce: nonce, peer: peer, caller: call.caller)
            return Responses.object(capacity: Base64.encodedCount(box.count) + 64) {
                $0.member("ciphertext", bytes: box)
            }
        case .easyOpen(let box, let nonce, let peer, let own, let mayBeSealed):
            do {
                return plaintext(
                    try await service.easyOpen(
                        keystore: call.keystore, key: key, box: box, nonce: nonce, peer: peer, own: own,
                        caller: call.caller))
            } catch let error as KMSError
                where mayBeSealed && (error.code == .ciphertextInvalid || error.code == .invalidArgument)
            {
                guard
                    let opened = try? await service.sealOpen(
                        keystore: call.keystore, key: key, box: box, own: own, caller: call.caller)
                else { throw error }
                return plaintext(opened)
            }
        case .sealOpen(let box, let own):
            return plaintext(
                try await service.sealOpen(keystore: call.keystore, key: key, box: box, own: own, caller: call.caller))
        }
    }

    private func plaintext(_ bytes: [UInt8]) -> Response {
        Responses.object(capacity: Base64.encodedCount(bytes.count) + 64) { $0.member("plaintext", bytes: bytes) }
    }
}

extension JSONWriter {
    /// Members in the order of TrustBloc's server; empty ones are left out.
    fileprivate mutating func write(_ wrapped: WrappedKey) {
        if !wrapped.keyID.isEmpty { member("kid", wrapped.keyID) }
        member("encryptedcek", bytes: wrapped.encryptedCEK)
        member("epk", object: { $0.write(wrapped.ephemeral) })
        member("alg", wrapped.algorithm)
        if !wrapped.apu.isEmpty { member("apu", bytes: wrapped.apu) }
        if !wrapped.apv.isEmpty { member("apv", bytes: wrapped.apv) }
    }

    fileprivate mutating func write(_ key: AgreementPublicKey) {
        if !key.keyID.isEmpty { member("kid", key.keyID) }
        member("x", bytes: key.x)
        if !key.y.isEmpty { member("y", bytes: key.y) }
        member("curve", key.curveName)
        member("type", key.type)
    }
}
