import Encodings
import FoundationEssentials
import LibCrypto
import SecretMemory

/// The `Content-Digest` field: `sha-256=:…:` (RFC 9530 §2).
enum ContentDigest {
    /// The field for a body.
    static func field(_ body: [UInt8]) throws(LibCryptoError) -> String {
        "sha-256=:\(Base64.encode(try Digest.sha256(body))):"
    }

    /// Whether every digest that is known fits, and at least one is.
    static func fits(_ field: String, _ body: [UInt8]) -> Bool {
        var known = 0
        for member in field.splitExactly(at: ",") {
            let parts = member.splitExactly(at: "=", maxSplits: 1)
            guard parts.count == 2, let value = byteSequence(parts[1]) else { return false }
            let expected: [UInt8]?
            switch Substring(parts[0].utf8.drop { $0 == UInt8(ascii: " ") }) {
            case "sha-256": expected = try? Digest.sha256(body)
            case "sha-512": expected = try? Digest.sha512(body)
            default: continue
            }
            guard let expected, ConstantTime.equal(expected, value) else { return false }
            known += 1
        }
        return known > 0
    }

    /// `:base64:` (RFC 8941 §3.3.5).
    static func byteSequence(_ text: some StringProtocol) -> [UInt8]? {
        let text = Substring(text).utf8
        guard text.count >= 2, text.first == UInt8(ascii: ":"), text.last == UInt8(ascii: ":") else { return nil }
        return Base64.decode(Substring(text.dropFirst().dropLast()))
    }
}
