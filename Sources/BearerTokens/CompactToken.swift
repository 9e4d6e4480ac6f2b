import Encodings

/// A JSON Web Signature in compact form (RFC 7515 §7.1), taken apart and checked for form; its signature is not.
struct CompactToken {
    /// Longer tokens are not looked at.
    static let maximumBytes = 8 * 1024
    /// In bytes.
    static let longestKeyID = 1024

    let algorithm: BearerAlgorithm
    /// Any text (RFC 7515 §4.1.4): it is compared with those of the key set and means nothing else.
    let keyID: ExactText?
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
    private static let types = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"]

    private static func header(_ header: JSONNode) throws(BearerTokenError) -> (BearerAlgorithm, ExactText?) {
        guard case .object(let members) = header else { throw malformed("the header is not a JSON object") }
        for name in refusedMembers where members[ExactText(name)] != nil {
            throw malformed("the header member '\(name)' is not accepted")
        }
        guard let name = header["alg"]?.text else { throw malformed("the header has no alg") }
        guard let algorithm = BearerAlgorithm(exactly: name) else {
            throw BearerTokenError(.signatureInvalid, "the token's alg is not accepted")
        }
        if let type = members["typ"] {
            guard let text = type.text, types.containsExactly(text.asciiLowercased()) else {
                throw malformed("the header's typ is not JWT")
            }
        }
        guard let kid = members["kid"] else { return (algorithm, nil) }
        guard let text = kid.text, text.utf8.count <= longestKeyID else {
            throw malformed("the header's kid is not a text of at most \(longestKeyID) bytes")
        }
        return (algorithm, ExactText(text))
    }

    private static func malformed(_ message: String) -> BearerTokenError { BearerTokenError(.malformed, message) }
}
