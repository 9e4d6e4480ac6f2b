import Encodings
import Hummingbird
import Keystores

/// The routes that use a key. They are the hot ones: one pass over the body, no coder, no log line.
struct OperationController: Sendable {
    let service: any KeyOperating
    var memberNames = MemberNames.present

    func sign(_ call: RouteCall) async throws -> Response {
        let message = try await call.body(SignBody.self) { body throws(JSONError) in
            try body.nullableBytes(.message)
        }
        let signature = try await service.sign(
            keystore: call.keystore, key: call.key, message: message, caller: call.caller)
        return memberNames.object { $0.member("signature", bytes: signature) }
    }

    func verify(_ call: RouteCall) async throws -> Response {
        let (signature, message) = try await call.body(VerifyBody.self) { body throws(JSONError) in
            (try body.bytes(.signature), try body.nullableBytes(.message))
        }
        try await service.verify(
            keystore: call.keystore, key: call.key, signature: signature, message: message, caller: call.caller)
        return Responses.json()
    }

    func encrypt(_ call: RouteCall) async throws -> Response {
        let names = memberNames.isFirst ? EncryptBody.firstNames : EncryptBody.names
        let (message, associatedData) = try await call.body(EncryptBody.self, names: names) {
            body throws(JSONError) in
            (try body.nullableBytes(.message), try body.optionalBytes(.associatedData) ?? [])
        }
        let (ciphertext, nonce) = try await service.encrypt(
            keystore: call.keystore, key: call.key, message: message, associatedData: associatedData,
            caller: call.caller)
        return memberNames.object(capacity: Base64.encodedCount(ciphertext.count) + 128) { writer in
            writer.member(memberNames.ciphertext, bytes: ciphertext)
            writer.member("nonce", bytes: nonce)
        }
    }

    func decrypt(_ call: RouteCall) async throws -> Response {
        let names = memberNames.isFirst ? DecryptBody.firstNames : DecryptBody.names
        let (ciphertext, associatedData, nonce) = try await call.body(DecryptBody.self, names: names) {
            body throws(JSONError) in
            (try body.bytes(.ciphertext), try body.optionalBytes(.associatedData) ?? [], try body.bytes(.nonce))
        }
        let plaintext = try await service.decrypt(
            keystore: call.keystore, key: call.key, ciphertext: ciphertext, associatedData: associatedData,
            nonce: nonce, caller: call.caller
        )
        return memberNames.object(capacity: Base64.encodedCount(plaintext.count) + 64) {
            $0.member(memberNames.plaintext, bytes: plaintext)
        }
    }

    func computeMAC(_ call: RouteCall) async throws -> Response {
        let data = try await call.body(ComputeMACBody.self) { body throws(JSONError) in try body.nullableBytes(.data) }
        let mac = try await service.computeMAC(keystore: call.keystore, key: call.key, data: data, caller: call.caller)
        return memberNames.object { $0.member("mac", bytes: mac) }
    }

    func verifyMAC(_ call: RouteCall) async throws -> Response {
        let (mac, data) = try await call.body(VerifyMACBody.self) { body throws(JSONError) in
            (try body.bytes(.mac), try body.nullableBytes(.data))
        }
        try await service.verifyMAC(keystore: call.keystore, key: call.key, mac: mac, data: data, caller: call.caller)
        return Responses.json()
    }
}
