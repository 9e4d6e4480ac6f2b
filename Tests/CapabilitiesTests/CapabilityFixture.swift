import Encodings
import Foundation
import LibCrypto
import SecretMemory
import Testing

@testable import Capabilities

/// The keys and documents of the vector file, and what tests build from them.
struct CapabilityFixture {
    struct Document: Decodable {
        var documentJson: String
        var canonicalDocumentNquads: String
        var canonicalProofNquads: String
        var jwsSigningInputHex: String
        var gzipBase64Url: String
    }

    struct File: Decodable {
        struct Signature: Decodable {
            var signingString: String
            var signatureHeader: String
            var capabilityInvocationHeader: String?
            var bodyAscii: String?
        }

        var keys: [String: String]
        var rootCapability: Document
        var delegatedCapability: Document
        var httpSignatureAsGoClientsSend: Signature
        var httpSignatureFullCoverage: Signature
    }

    let file: File

    init() throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Vectors/zcap.json")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        file = try decoder.decode(File.self, from: try Data(contentsOf: url))
    }

    static let now: Int64 = 1_637_945_510
    static let path = "/v1/keystores/c0ekinlioud42c84qs9g/keys/kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k/sign"

    var root: Capability {
        get throws { try Capability(json: Array(file.rootCapability.documentJson.utf8)) }
    }

    func key(_ name: String) throws -> SigningKey {
        let seed = try #require(file.keys[name + "_seed_hex"].flatMap(Self.bytes))
        let secret = try SecretBytes.make(count: seed.count) { $0.copyBytes(from: seed) }
        return try SigningKey(curve: .ed25519, privateKey: secret)
    }

    func did(_ name: String) throws -> DIDKey { try #require(DIDKey(publicKey: try key(name).publicKey)) }

    static func bytes(_ hexadecimal: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var index = hexadecimal.startIndex
        while index < hexadecimal.endIndex {
            guard let next = hexadecimal.index(index, offsetBy: 2, limitedBy: hexadecimal.endIndex),
                let byte = UInt8(hexadecimal[index..<next], radix: 16)
            else { return nil }
            bytes.append(byte)
            index = next
        }
        return bytes
    }

    /// A signed capability.
    func signed(
        _ capability: Capability, by name: String, chain: [ExactText]?, created: String = "2021-11-26T16:51:50Z"
    ) throws -> Capability {
        let key = try key(name)
        return try CapabilityProofs.signed(
            capability, verificationMethod: try did(name), created: created, nonce: Random.bytes(64),
            chain: chain?.map(\.text)
        ) { try key.sign($0) }
    }

    /// A child of the root for `invoker`, signed by `signer`.
    func child(
        invoker: String = "third_party", signer: String = "controller", actions: [String] = ["sign"],
        caveats: [Capability.Caveat]? = nil, parent: ExactText? = nil, chain: [ExactText]? = nil, target: String? = nil
    ) throws -> Capability {
        let root = try root
        let child = Capability(
            id: "urn:uuid:\(UUID().uuidString.lowercased())", invoker: try did(invoker).description,
            parentCapability: (parent ?? root.id).text, allowedAction: actions,
            invocationTarget: Capability.Target(id: target ?? root.id.text, type: "urn:kms:keystore"), caveats: caveats)
        return try signed(child, by: signer, chain: chain ?? [parent ?? root.id])
    }

    /// A signed request that invokes a capability.
    func request(
        _ capability: Capability, by signer: String, action: String = "sign", created: Int64 = now,
        covered: [String] = ["(created)"], headers extra: [String: String] = [:], uri: String = path
    ) throws -> HTTPSignature.Request {
        var headers = ["host": ["kms.example.com:8076"]]
        headers["capability-invocation"] = [try Invocation(capability: capability, action: action).header()]
        for (name, value) in extra { headers[name] = [value] }
        var request = HTTPSignature.Request(method: "POST", uri: uri, headers: headers)
        let parameters =
            "keyId=\"\(try did(signer))\",algorithm=\"\(HTTPSignature.algorithm)\",created=\(created),"
            + "headers=\"\(covered.joined(separator: " "))\""
        let unsigned = try HTTPSignature(header: parameters + ",signature=\"\"")
        let signature = try key(signer).sign(Array(try unsigned.signingString(for: request).utf8))
        request.headers["signature"] = [parameters + ",signature=\"\(Data(signature).base64EncodedString())\""]
        return request
    }
}
