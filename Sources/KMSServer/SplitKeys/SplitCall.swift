import HTTPTypes
import Hummingbird
import NIOCore
import SecretMemory
import SplitKeys
import TextEncodings

/// One request's head, query and body, read on demand and strictly.
struct SplitCall: Sendable {
    let request: Request
    let query: Substring?
    let requestID: String
    /// In bytes.
    let maximumBody: Int

    /// The members of the body; an empty body is an empty object, since clients send a content type and no body.
    func members<R>(
        _ names: [StaticString], _ body: (JSONMembers) throws -> R
    ) async throws -> R {
        let buffer = try await request.readBody(upTo: maximumBody)
        return try buffer.withUnsafeReadableBytes { bytes in
            if bytes.isEmpty {
                return try Array("{}".utf8).withUnsafeBytes { try body(JSONMembers($0, names, exactly: true)) }
            }
            return try body(JSONMembers(bytes, names, exactly: true))
        }
    }

    /// As ``members(_:_:)`` for a body that carries a secret; it is read in locked memory.
    func secretMembers<R>(_ names: [StaticString], _ body: (JSONMembers) throws -> R) async throws -> R {
        try await request.withSecretBody(upTo: min(maximumBody, 64 * 1024)) { memory in
            try body(JSONMembers(UnsafeRawBufferPointer(memory), names, exactly: true))
        }
    }

    /// A parameter that comes in the query or in a urlencoded body.
    ///
    /// - Throws: 400 for a repeated, unknown or missing parameter, and for two that differ.
    func parameter(_ name: String) async throws -> String {
        let inQuery = try QueryParameters(query, allowed: [name])[name]
        let body = try await request.readBody(upTo: 64 * 1024)
        let form = Substring(String(buffer: body))
        let inForm = form.hasPrefix("{") ? nil : try QueryParameters(form, allowed: [name])[name]
        guard inQuery == nil || inForm == nil || inQuery == inForm else {
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
        return try Self.publicKey(text, "X-Peer-Public-Key")
    }

    /// The bytes of a public key of any suite; the domain checks the point.
    static func publicKey(_ text: String, _ operand: String) throws -> [UInt8] {
        guard let bytes = Hexadecimal.decode(text, .either),
            SplitSuite.allCases.contains(where: { $0.publicKeyLength == bytes.count })
        else {
            throw SplitRefusal(
                status: 400, message: "'\(operand)' must be \(SplitSuite.digits(\.publicKeyLength)) hexadecimal digits")
        }
        return bytes
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
