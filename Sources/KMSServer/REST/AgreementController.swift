import Hummingbird
import Keystores
import SecretMemory
import TextEncodings
import WorkingKeys

/// The routes of key agreement: wrapping content keys, and NaCl boxes.
///
/// One generation of clients has a route for each box operation, the next sends them to wrap and unwrap; both work.
struct AgreementController: Sendable {
    let service: any KeystoreServing
    let maximumBody: Int

    func answer(
        _ action: Target.Agreement, _ request: Request, keystore: String, key: String?
    ) async throws -> Response {
        let call = try await request.withSecretBody(upTo: maximumBody) { memory in
            try AgreementCall(action, memory, hasKey: key != nil)
        }
        switch call {
        case .wrap(let contentKey, let recipient, let apu, let apv, let tag, let options):
            let wrapped: WrappedKey
            if let key {
                wrapped = try await service.wrap(
                    keystore: keystore, sender: key, contentKey: contentKey, recipient: recipient, apu: apu, apv: apv,
                    tag: tag, options: options)
            } else {
                wrapped = try await service.wrap(
                    keystore: keystore, contentKey: contentKey, recipient: recipient, apu: apu, apv: apv,
                    options: options)
            }
            return Answer.object(capacity: 1024) { $0.write(wrapped) }
        case .unwrap(let wrapped, let sender, let tag):
            let contentKey = try await service.unwrap(
                keystore: keystore, key: key ?? "", wrapped: wrapped, sender: sender, tag: tag)
            return Answer.object { $0.member("key", secret: contentKey) }
        case .easy(let payload, let nonce, let peer):
            let box = try await service.easy(
                keystore: keystore, key: key ?? "", payload: payload, nonce: nonce, peer: peer)
            return Answer.object(capacity: Base64.encodedCount(box.count) + 64) {
                $0.member("ciphertext", bytes: box)
            }
        case .easyOpen(let box, let nonce, let peer, let own, let mayBeSealed):
            do {
                return plaintext(
                    try await service.easyOpen(
                        keystore: keystore, key: key, box: box, nonce: nonce, peer: peer, own: own))
            } catch let error as KMSError
                where mayBeSealed && (error.code == .ciphertextInvalid || error.code == .invalidArgument)
            {
                guard let opened = try? await service.sealOpen(keystore: keystore, key: key, box: box, own: own)
                else { throw error }
                return plaintext(opened)
            }
        case .sealOpen(let box, let own):
            return plaintext(try await service.sealOpen(keystore: keystore, key: key, box: box, own: own))
        }
    }

    private func plaintext(_ bytes: [UInt8]) -> Response {
        Answer.object(capacity: Base64.encodedCount(bytes.count) + 64) { $0.member("plaintext", bytes: bytes) }
    }
}

extension JSONWriter {
    /// Members in the order of the original server; empty ones are left out.
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
