import Hummingbird
import Keystores
import NIOCore
import TextEncodings

/// The routes that use a key. They are the hot ones: one pass over the body, no coder, no log line.
struct OperationController: Sendable {
    let service: any KeystoreServing
    let maximumBody: Int
    var wording = Wording.present

    /// Nil for an action of another controller.
    func answer(
        _ action: Target.Action, _ request: Request, keystore: String, key: String
    ) async throws -> Response? {
        switch action {
        case .sign:
            let message = try await members(request, ["message"]) { members throws(JSONError) in
                try members.nullableBytes(0)
            }
            let signature = try await service.sign(keystore: keystore, key: key, message: message)
            return wording.object { $0.member("signature", bytes: signature) }
        case .verify:
            let (signature, message) = try await pair(request, ["signature", "message"])
            try await service.verify(keystore: keystore, key: key, signature: signature, message: message)
            return Answer.json()
        case .encrypt:
            let (message, associatedData) = try await members(request, ["message", wording.associatedData]) {
                members throws(JSONError) in (try members.nullableBytes(0), try members.optionalBytes(1) ?? [])
            }
            let (ciphertext, nonce) = try await service.encrypt(
                keystore: keystore, key: key, message: message, associatedData: associatedData)
            return wording.object(capacity: Base64.encodedCount(ciphertext.count) + 128) { writer in
                writer.member(wording.ciphertext, bytes: ciphertext)
                writer.member("nonce", bytes: nonce)
            }
        case .decrypt:
            let (ciphertext, associatedData, nonce) = try await members(
                request, ["ciphertext", wording.associatedData, "nonce"]
            ) { members throws(JSONError) in
                (try members.bytes(0), try members.optionalBytes(1) ?? [], try members.bytes(2))
            }
            let plaintext = try await service.decrypt(
                keystore: keystore, key: key, ciphertext: ciphertext, associatedData: associatedData, nonce: nonce)
            return wording.object(capacity: Base64.encodedCount(plaintext.count) + 64) {
                $0.member(wording.plaintext, bytes: plaintext)
            }
        case .computemac:
            let data = try await members(request, ["data"]) { members throws(JSONError) in
                try members.nullableBytes(0)
            }
            let mac = try await service.computeMAC(keystore: keystore, key: key, data: data)
            return wording.object { $0.member("mac", bytes: mac) }
        case .verifymac:
            let (mac, data) = try await pair(request, ["mac", "data"])
            try await service.verifyMAC(keystore: keystore, key: key, mac: mac, data: data)
            return Answer.json()
        default: return nil
        }
    }

    /// A signature or MAC, and what it is of.
    private func pair(_ request: Request, _ names: [StaticString]) async throws -> ([UInt8], [UInt8]) {
        try await members(request, names) { members throws(JSONError) in
            (try members.bytes(0), try members.nullableBytes(1))
        }
    }

    private func members<R>(
        _ request: Request, _ names: [StaticString], _ read: (JSONMembers) throws(JSONError) -> R
    ) async throws -> R {
        try await request.members(names, upTo: maximumBody, read)
    }
}

extension Request {
    /// Collects the body and reads the members named.
    func members<R>(
        _ names: [StaticString], upTo limit: Int, _ read: (JSONMembers) throws(JSONError) -> R
    ) async throws -> R {
        let buffer = try await readBody(upTo: limit)
        return try buffer.withUnsafeReadableBytes { bytes in try read(JSONMembers(bytes, names)) }
    }
}
