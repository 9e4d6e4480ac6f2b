import Encodings
import SecretMemory

/// Secrets in the answers of other servers.
enum SealedText {
    /// Standard base64 into locked memory; nil for anything else, and for more than `limit` bytes.
    static func decode(_ text: String, limit: Int) throws -> SharedSecret? {
        guard text.utf8.count <= Base64.encodedCount(limit) else { return nil }
        var text = text
        return try text.withUTF8 { characters in
            let secret: SecretBytes? = try Base64.decodeKey(UnsafeRawBufferPointer(characters), .standard)
            guard let secret else { return nil }
            return SharedSecret(secret)
        }
    }
}
