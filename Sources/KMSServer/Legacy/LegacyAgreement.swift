import Hummingbird
import Keystores
import SecretMemory
import TextEncodings
import WorkingKeys

/// Key agreement through the routes of the first generation, where even names in key objects are base64url.
struct LegacyAgreement: Sendable {
    let service: any KeystoreServing
    let maximumBody: Int

    func answer(
        _ action: Target.Agreement, _ request: Request, keystore: String, key: String?
    ) async throws -> Response {
        switch action {
        case .wrap:
            let (contentKey, recipient, apu, apv) = try await request.withSecretBody(upTo: maximumBody) { memory in
                let members = try JSONMembers(
                    UnsafeRawBufferPointer(memory), ["cek", "recpubkey", "apu", "apv"])
                let recipient = try Self.publicKey(members, 1)
                let (apu, apv) = (try members.optionalBytes(2) ?? [], try members.optionalBytes(3) ?? [])
                // Last: reading the secret may unescape it in place.
                return (try members.secret(0, unescapingIn: memory), recipient, apu, apv)
            }
            let wrapped = try await service.wrap(
                keystore: keystore, contentKey: contentKey, recipient: recipient, apu: apu, apv: apv,
                options: .standard)
            return Wording.firstGeneration.object(capacity: 1024) { writer in
                writer.member("wrappedKey", object: { Self.write(wrapped, &$0) })
            }
        case .unwrap:
            let wrapped = try await request.members(["wrappedkey"], upTo: maximumBody) {
                members throws(JSONError) in try Self.wrappedKey(members, 0)
            }
            let contentKey = try await service.unwrap(
                keystore: keystore, key: key ?? "", wrapped: wrapped, sender: nil, tag: [])
            return Wording.firstGeneration.object { $0.member("key", secret: contentKey) }
        case .easy:
            let (payload, nonce, peer) = try await request.members(
                ["payload", "nonce", "theirpub"], upTo: maximumBody
            ) { members throws(JSONError) in
                (try members.nullableBytes(0), try members.bytes(1), try members.bytes(2))
            }
            let box = try await service.easy(
                keystore: keystore, key: key ?? "", payload: payload, nonce: nonce, peer: peer)
            return Wording.firstGeneration.object(capacity: Base64.encodedCount(box.count) + 64) {
                $0.member("cipherText", bytes: box)
            }
        case .easyOpen:
            let call = try await request.members(["ciphertext", "nonce", "theirpub", "mypub"], upTo: maximumBody) {
                members throws(JSONError) in
                (
                    box: try members.bytes(0), nonce: try members.bytes(1), peer: try members.bytes(2),
                    own: try members.bytes(3)
                )
            }
            return plaintext(
                try await service.easyOpen(
                    keystore: keystore, key: key, box: call.box, nonce: call.nonce, peer: call.peer, own: call.own))
        case .sealOpen:
            let (box, own) = try await request.members(["ciphertext", "mypub"], upTo: maximumBody) {
                members throws(JSONError) in (try members.bytes(0), try members.bytes(1))
            }
            return plaintext(try await service.sealOpen(keystore: keystore, key: key, box: box, own: own))
        }
    }

    private func plaintext(_ bytes: [UInt8]) -> Response {
        Wording.firstGeneration.object(capacity: Base64.encodedCount(bytes.count) + 64) {
            $0.member("plainText", bytes: bytes)
        }
    }

    // MARK: Key objects

    private static func publicKey(_ members: JSONMembers, _ index: Int) throws(JSONError) -> AgreementPublicKey {
        guard let object = try members.optionalObject(index, ["kid", "x", "y", "curve", "type"]) else {
            throw JSONError("a public key is missing")
        }
        let (name, curve, type) = (try text(object, 0), try text(object, 3), try text(object, 4))
        let (x, y) = (try object.bytes(1), try object.optionalBytes(2) ?? [])
        do throws(WorkingKeyError) {
            return try AgreementPublicKey(keyID: name, curve: curve, type: type, x: x, y: y)
        } catch {
            throw JSONError(error.message)
        }
    }

    private static func wrappedKey(_ members: JSONMembers, _ index: Int) throws(JSONError) -> WrappedKey {
        let names: [StaticString] = ["kid", "encryptedcek", "epk", "alg", "apu", "apv"]
        guard let object = try members.optionalObject(index, names) else {
            throw JSONError("'wrappedKey' is missing")
        }
        return WrappedKey(
            keyID: try text(object, 0), encryptedCEK: try object.bytes(1), ephemeral: try publicKey(object, 2),
            algorithm: try text(object, 3), apu: try object.optionalBytes(4) ?? [],
            apv: try object.optionalBytes(5) ?? [])
    }

    /// A text that travels as base64url of its UTF-8; empty when absent.
    private static func text(_ members: JSONMembers, _ index: Int) throws(JSONError) -> String {
        guard let text = String(validating: try members.optionalBytes(index) ?? [], as: UTF8.self) else {
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
