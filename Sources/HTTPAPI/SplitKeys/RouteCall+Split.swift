import Encodings
import HTTPTypes
import Hummingbird
import NIOCore
import SecretMemory
import SplitKeys

/// Head, query and body of a split-key request, read on demand and strictly: names of members count in their case.
extension RouteCall {
    /// The wallet that the path names.
    func wallet() throws -> String { try WalletName.parse(parameters.first) }

    /// The members of the body; an empty body is an empty object, since clients send a content type and no body.
    func exactBody<Key: BodyMember, R>(_ type: Key.Type, _ read: (JSONBody<Key>) throws -> R) async throws -> R {
        let buffer = try await request.readBody(upTo: bodyLimit)
        return try buffer.withUnsafeReadableBytes { bytes in
            if bytes.isEmpty {
                return try Array("{}".utf8).withUnsafeBytes { try read(JSONBody($0, exactly: true)) }
            }
            return try read(JSONBody(bytes, exactly: true))
        }
    }

    /// As ``exactBody(_:_:)`` for a body that carries a secret; it is read in locked memory.
    func exactSecretBody<Key: BodyMember, R>(_ type: Key.Type, _ read: (JSONBody<Key>) throws -> R) async throws -> R {
        try await request.withSecretBody(upTo: bodyLimit) { memory in
            try read(JSONBody(UnsafeRawBufferPointer(memory), exactly: true))
        }
    }

    /// A parameter that comes in the query or in a urlencoded body.
    ///
    /// - Throws: 400 for a repeated, unknown or missing parameter, and for two that differ.
    func parameter(_ name: String) async throws -> String {
        let inQuery = try QueryParameters(query, allowed: [name])[name]
        let body = try await request.readBody(upTo: bodyLimit)
        let form = Substring(String(buffer: body))
        let inForm = form.startsExactly(with: "{") ? nil : try QueryParameters(form, allowed: [name])[name]
        guard inQuery == nil || inForm == nil || inQuery.map({ ExactText($0) }) == inForm.map({ ExactText($0) }) else {
            throw SplitRefusal(status: 400, message: "'\(name)' is given twice, in the query and in the body")
        }
        guard let value = inQuery ?? inForm, !value.isEmpty else {
            throw SplitRefusal(status: 400, message: "'\(name)' is missing: give it in the query or as a form field")
        }
        return value
    }

    /// The key in `X-Peer-Public-Key`.
    ///
    /// - Throws: 400 for a missing, repeated or malformed header.
    func peerKey() throws -> [UInt8] {
        let values = request.headers[values: .peerPublicKey]
        guard values.count <= 1 else {
            throw SplitRefusal(status: 400, message: "X-Peer-Public-Key is given twice")
        }
        guard let text = values.first, !text.isEmpty else {
            throw SplitRefusal(status: 400, message: "X-Peer-Public-Key is missing: send a public key in hexadecimal")
        }
        return try SplitKeyText.publicKey(text, "X-Peer-Public-Key")
    }
}

extension JSONMembers {
    /// A secret of exactly `count` bytes written in hexadecimal, decoded into locked memory.
    func optionalHexSecret(_ index: Int, count: Int) throws -> SharedSecret? {
        guard let text = try hexText(index) else { return nil }
        guard text.count == 2 * count else {
            throw SplitRefusal(status: 400, message: "'\(name(index))' must be \(2 * count) hexadecimal digits")
        }
        var isHex = true
        let secret = try SecretBytes.make(count: count) { output in
            for position in 0..<count {
                let high = SecretHexadecimal.value(text[2 * position])
                let low = SecretHexadecimal.value(text[2 * position + 1])
                isHex = isHex && high | low < 16
                output[position] = high << 4 | low & 15
            }
        }
        guard isHex else {
            throw SplitRefusal(status: 400, message: "'\(name(index))' must be \(2 * count) hexadecimal digits")
        }
        return SharedSecret(secret)
    }
}
