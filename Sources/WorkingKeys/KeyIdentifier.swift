import Encodings
import LibCrypto

/// Identifiers of keys that have no public half, or were imported without a name.
public enum KeyIdentifier {
    /// 37 random bytes as unpadded base64url: 50 characters.
    public static func random() throws(WorkingKeyError) -> String {
        Base64.encode(try WorkingKeyError.translating { () throws(LibCryptoError) in try Random.bytes(37) }, .url)
    }
}
