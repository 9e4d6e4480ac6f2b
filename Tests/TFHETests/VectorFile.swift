import Foundation
import SecretMemory
import TFHE
import Testing

/// The files of ``Vectors``; see its README for their origins.
enum VectorFile {
    struct Missing: Error { var name: String }

    struct Entry: Sendable, CustomTestStringConvertible {
        var file: String
        var format: CiphertextFormat
        var type: ValueType
        var expected: [UInt8]
        var key: String

        var testDescription: String { file }

        func bytes() throws -> [UInt8] { try VectorFile.bytes(file) }
        func ciphertext() throws -> Ciphertext { try Ciphertext(bytes(), as: format, of: type) }
    }

    static let keys: [(file: String, format: ClientKeyFormat)] = [
        ("t061_big/client_key.bin", .raw06), ("t061_small/client_key.bin", .raw06), ("t04_key/client_key.bin", .raw04),
        ("v1_published/client_key.bin", .safe05),
    ]

    /// What `index.json` lists; empty if it cannot be read, which a test rules out.
    static let ciphertexts: [Entry] = (try? entries()) ?? []

    static func bytes(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Vectors")
        return [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    static func key(_ name: String) throws -> ClientKey {
        guard let format = keys.first(where: { $0.file == name })?.format else { throw Missing(name: name) }
        return try key(bytes(name), format)
    }

    static func key(
        _ bytes: [UInt8], _ format: ClientKeyFormat, expecting parameters: KeyParameters? = nil
    ) throws -> ClientKey {
        let file = try SecretBytes.make(count: bytes.count) { $0.copyBytes(from: bytes) }
        return try ClientKey(reading: file, as: format, expecting: parameters)
    }

    private static func entries() throws -> [Entry] {
        guard let index = try JSONSerialization.jsonObject(with: Data(bytes("index.json"))) as? [String: Any],
            let list = index["ciphertexts"] as? [[String: Any]]
        else { throw Missing(name: "index.json") }
        return try list.map { item in
            guard let file = item["file"] as? String, let key = item["key"] as? String,
                let format = (item["format"] as? String).flatMap(CiphertextFormat.init),
                let name = item["type"] as? String
            else { throw Missing(name: "index.json") }
            if name == "FheBool", let truth = item["expected"] as? Bool {
                return Entry(file: file, format: format, type: .bool, expected: [truth ? 1 : 0], key: key)
            }
            guard let bits = Int(name.dropFirst("FheUint".count)), let value = UInt64(item["expected"] as? String ?? "")
            else { throw Missing(name: file) }
            let type = ValueType.unsigned(bits: bits)
            let expected = (0..<type.byteCount).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
            return Entry(file: file, format: format, type: type, expected: expected, key: key)
        }
    }
}

extension DecryptedValue {
    /// A copy for comparisons.
    borrowing func array() -> [UInt8] { value.withUnsafeBytes { Array($0) } }
}

extension ClientKey {
    func value(of ciphertext: Ciphertext, limit: NoiseLimit = .quarter) throws -> [UInt8] {
        try decrypt(ciphertext, limit: limit).array()
    }

    /// The key's bits, one a word, as files have them.
    func words() -> [UInt64] {
        withPackedBits { bits in
            bits.withUnsafeBytes { bytes in
                (0..<parameters.length).map { UInt64(bytes[$0 / 8] >> UInt8($0 % 8) & 1) }
            }
        }
    }

    /// A key of these bits.
    static func of(_ words: [UInt64], _ parameters: KeyParameters) throws -> ClientKey {
        var packed = [UInt8](repeating: 0, count: parameters.packedByteCount)
        for (index, word) in words.enumerated() { packed[index / 8] |= UInt8(word) << UInt8(index % 8) }
        return try ClientKey(packed: .make(count: packed.count) { $0.copyBytes(from: packed) }, parameters: parameters)
    }
}
