import Capabilities
import Encodings
import Foundation
import LibCrypto
import SecretMemory
import Testing
import WorkingKeys

@testable import EDV

/// The keys and the document of the vector file, and a vault in memory.
struct EDVFixture {
    struct File: Decodable {
        var recipientScalarHex: String
        var kid: String
        var keyId: String
        var macKeyHex: String
        var macPrefixId: UInt32
        var value: String
        var content: String
        var document: String
    }

    let file: File
    let recipient: WorkingKey
    let mac: WorkingKey

    init() throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Vectors/encrypted_document.json")
        file = try JSONDecoder().decode(File.self, from: Data(contentsOf: url))
        recipient = try Self.key(.nistP256ECDHKW, nil, file.recipientScalarHex)
        mac = try Self.key(.hmacSHA256Tag256, file.macPrefixId, file.macKeyHex)
    }

    private static func key(_ type: KeyType, _ prefix: UInt32?, _ hex: String) throws -> WorkingKey {
        let digits = Array(hex)
        let bytes = stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(digits[$0...($0 + 1)]), radix: 16) ?? 0
        }
        let secret = try SecretBytes.make(count: bytes.count) { $0.copyBytes(from: bytes) }
        return try WorkingKey(versions: [try KeyMaterial(type: type, prefixID: prefix, secret: secret)], primary: 0)
    }

    /// A key, the capability that names it as invoker of vault `V`, and a client over `vault`.
    func client(_ vault: MemoryVault, timeout: Duration = .seconds(5)) throws -> VaultClient {
        let capability = try VaultCapability(json: Self.capability(vault.invoker).json(), vault: "V")
        let key = vault.key
        return try VaultClient(
            address: try VaultAddress("https://edv.example/encrypted-data-vaults/V"), capability: capability,
            recipient: recipient, mac: mac, sender: vault, timeout: timeout, signingKey: { key })
    }

    static func capability(
        _ invoker: String?, actions: [String] = ["read", "write"], target: String = "V"
    ) -> Capability {
        Capability(
            id: "urn:uuid:1", invoker: invoker, parentCapability: "urn:uuid:0", allowedAction: actions,
            invocationTarget: Capability.Target(id: target, type: "urn:edv:vault"))
    }
}
