import StrictJSON
import TextEncodings

/// A JSON Web Signature in compact form (RFC 7515 §7.1), taken apart and checked for form; its signature is not.
struct CompactToken {
    /// Longer tokens are not looked at.
    static let maximumBytes = 8 * 1024

    let algorithm: BearerAlgorithm
    let keyID: String?
    let claims: JSONNode
    /// `header.payload` as it stands in the token.
    let signed: [UInt8]
    let signature: [UInt8]

    init(_ token: String) throws(BearerTokenError) {
        let bytes = Array(token.utf8)
        guard !bytes.isEmpty else { throw Self.malformed("the token is empty") }
        guard bytes.count <= Self.maximumBytes else {
            throw Self.malformed("the token is longer than \(Self.maximumBytes) bytes")
        }
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64.decode(parts[0], .url), let payload = Base64.decode(parts[1], .url),
            let signature = Base64.decode(parts[2], .url)
        else { throw Self.malformed("the token is not three base64url parts") }
        (algorithm, keyID) = try Self.header(try Self.object(header, "header"))
        claims = try Self.object(payload, "payload")
        signed = Array(bytes[..<parts[1].endIndex])
        self.signature = signature
    }

    private static func object(_ bytes: [UInt8], _ part: String) throws(BearerTokenError) -> JSONNode {
        do {
            let node = try JSONNode(reading: bytes)
            if case .object = node { return node }
        } catch {
            throw malformed("the \(part) is refused: \(error)")
        }
        throw malformed("the \(part) is not a JSON object")
    }

    /// Members that bring a key, name a place to fetch one from, or change what is signed.
    private static let refusedMembers = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"]
    /// RFC 7519 §5.1, RFC 9068 §2.1; other types are tokens for other uses (RFC 8725 §3.11).
    private static let types: Set = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"]

    private static func header(_ header: JSONNode) throws(BearerTokenError) -> (BearerAlgorithm, String?) {
        guard case .object(let members) = header else { throw malformed("the header is not a JSON object") }
        for name in refusedMembers where members[name] != nil {
            throw malformed("the header member '\(name)' is not accepted")
        }
        guard let name = header["alg"]?.text else { throw malformed("the header has no alg") }
        guard let algorithm = BearerAlgorithm(rawValue: name) else {
            throw BearerTokenError(.signatureInvalid, "the token's alg is not accepted")
        }
        if let type = members["typ"] {
            guard let text = type.text, types.contains(text.lowercased()) else {
                throw malformed("the header's typ is not JWT")
            }
        }
        guard let kid = members["kid"] else { return (algorithm, nil) }
        guard let text = kid.text, isPlain(keyID: text) else { throw malformed("the header's kid is not a plain name") }
        return (algorithm, text)
    }

    /// 1 to 128 characters that mean nothing to a file system, a database or a terminal.
    static func isPlain(keyID: String) -> Bool {
        guard (1...128).contains(keyID.utf8.count), !keyID.contains("..") else { return false }
        return keyID.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: ":"), UInt8(ascii: "#"), UInt8(ascii: "@"):
                true
            default: false
            }
        }
    }

    private static func malformed(_ message: String) -> BearerTokenError { BearerTokenError(.malformed, message) }
}
