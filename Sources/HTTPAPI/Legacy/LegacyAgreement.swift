import Encodings
import Hummingbird
import Keystores
import SecretMemory
import WorkingKeys

/// Key agreement through the routes of the first generation, where even names in key objects are base64url.
struct LegacyAgreement: Sendable {
    let service: any KeyAgreeing

    func wrap(_ call: RouteCall) async throws -> Response {
        let (contentKey, recipient, apu, apv) = try await call.secretBody(LegacyWrapBody.self) { body, memory in
            let recipient = try Self.publicKey(try body.object(.recipient, PublicKeyBody.self))
            let (apu, apv) = (try body.optionalBytes(.apu) ?? [], try body.optionalBytes(.apv) ?? [])
            // Last: reading the secret may unescape it in place.
            return (try body.secret(.contentKey, in: memory), recipient, apu, apv)
        }
        let wrapped = try await service.wrap(
            keystore: call.keystore, contentKey: contentKey, recipient: recipient, apu: apu, apv: apv,
            options: .standard, caller: call.caller)
        return MemberNames.firstGeneration.object(capacity: 1024) { writer in
            writer.member("wrappedKey", object: { Self.write(wrapped, &$0) })
        }
    }

    func unwrap(_ call: RouteCall) async throws -> Response {
        let wrapped = try await call.body(LegacyUnwrapBody.self) { body throws(JSONError) in
            try Self.wrappedKey(try body.object(.wrapped, WrappedKeyBody.self))
        }
        let contentKey = try await service.unwrap(
            keystore: call.keystore, key: call.key, wrapped: wrapped, sender: nil, tag: [], caller: call.caller)
        return MemberNames.firstGeneration.object { $0.member("key", secret: contentKey) }
    }

    func easy(_ call: RouteCall) async throws -> Response {
        let (payload, nonce, peer) = try await call.body(EasyBody.self, names: EasyBody.firstNames) {
            body throws(JSONError) in
            (try body.nullableBytes(.payload), try body.bytes(.nonce), try body.bytes(.peer))
        }
        let box = try await service.easy(
            keystore: call.keystore, key: call.key, payload: payload, nonce: nonce, peer: peer, caller: call.caller)
        return MemberNames.firstGeneration.object(capacity: Base64.encodedCount(box.count) + 64) {
            $0.member("cipherText", bytes: box)
        }
    }

    func easyOpen(_ call: RouteCall) async throws -> Response {
        let (box, nonce, peer, own) = try await call.body(EasyOpenBody.self, names: EasyOpenBody.firstNames) {
            body throws(JSONError) in
            (try body.bytes(.box), try body.bytes(.nonce), try body.bytes(.peer), try body.bytes(.own))
        }
        return plaintext(
            try await service.easyOpen(
                keystore: call.keystore, key: nil, box: box, nonce: nonce, peer: peer, own: own, caller: call.caller))
    }

    func sealOpen(_ call: RouteCall) async throws -> Response {
        let (box, own) = try await call.body(SealOpenBody.self, names: SealOpenBody.firstNames) {
            body throws(JSONError) in (try body.bytes(.box), try body.bytes(.own))
        }
        return plaintext(
            try await service.sealOpen(keystore: call.keystore, key: nil, box: box, own: own, caller: call.caller))
    }

    private func plaintext(_ bytes: [UInt8]) -> Response {
        MemberNames.firstGeneration.object(capacity: Base64.encodedCount(bytes.count) + 64) {
            $0.member("plainText", bytes: bytes)
        }
    }

    // MARK: Key objects

    private static func publicKey(_ object: JSONBody<PublicKeyBody>?) throws(JSONError) -> AgreementPublicKey {
        guard let object else { throw JSONError("a public key is missing") }
        let (name, curve, type) = (try text(object, .keyID), try text(object, .curve), try text(object, .type))
        let (x, y) = (try object.bytes(.x), try object.optionalBytes(.y) ?? [])
        do throws(WorkingKeyError) {
            return try AgreementPublicKey(keyID: name, curve: curve, type: type, x: x, y: y)
        } catch {
            throw JSONError(error.message)
        }
    }

    private static func wrappedKey(_ object: JSONBody<WrappedKeyBody>?) throws(JSONError) -> WrappedKey {
        guard let object else { throw JSONError("'wrappedKey' is missing") }
        return WrappedKey(
            keyID: try text(object, .keyID), encryptedCEK: try object.bytes(.encryptedCEK),
            ephemeral: try publicKey(try object.object(.ephemeral, PublicKeyBody.self)),
            algorithm: try text(object, .algorithm), apu: try object.optionalBytes(.apu) ?? [],
            apv: try object.optionalBytes(.apv) ?? [])
    }

    /// A text that travels as base64url of its UTF-8; empty when absent.
    private static func text<Key: BodyMember>(_ body: JSONBody<Key>, _ key: Key) throws(JSONError) -> String {
        guard let text = String(validating: try body.optionalBytes(key) ?? [], as: UTF8.self) else {
            throw JSONError("a name in a key is not UTF-8")
        }
        return text
    }

    private static func write(_ wrapped: WrappedKey, _ writer: inout JSONWriter) {
        if !wrapped.keyID.isEmpty { writer.member("kid", bytes: Array(wrapped.keyID.utf8)) }
        writer.member("encryptedCEK", bytes: wrapped.encryptedCEK)
        writer.member("epk", object: { write(wrapped.ephemeral, &$0) })
        writer.member("alg", bytes: Array(wrapped.algorithm.utf8))
        if !wrapped.apu.isEmpty { writer.member("apu", bytes: wrapped.apu) }
        if !wrapped.apv.isEmpty { writer.member("apv", bytes: wrapped.apv) }
    }

    private static func write(_ key: AgreementPublicKey, _ writer: inout JSONWriter) {
        writer.member("x", bytes: key.x)
        if !key.y.isEmpty { writer.member("y", bytes: key.y) }
        writer.member("curve", bytes: Array(key.curveName.utf8))
        writer.member("type", bytes: Array(key.type.utf8))
    }
}
