import Encodings

/// The client's half: what an Aries-compatible server expects in a `Signature` header.
extension HTTPSignature {
    /// Signs a request.
    ///
    /// - Parameters:
    ///   - key: Named in the header; `sign` uses its private half.
    ///   - created: Seconds since 1970; always covered.
    ///   - covered: Further names to cover, in this order, lower case; each must be in `request`.
    /// - Returns: The header's value, `keyId` first, as TrustBloc's servers look for it there.
    /// - Throws: ``CapabilityError`` for a covered header that is absent; what `sign` throws.
    public static func header(
        key: DIDKey, created: Int64, covered: [String], request: Request, sign: ([UInt8]) throws -> [UInt8]
    ) throws -> String {
        let names = ["(created)"] + covered
        let unsigned = HTTPSignature(
            keyID: key.description, created: created, expires: nil, covered: names, signature: [])
        let signature = try sign(Array(try unsigned.signingString(for: request).utf8))
        return "keyId=\"\(key)\",algorithm=\"\(algorithm)\",created=\(created),"
            + "headers=\"\(names.joined(separator: " "))\",signature=\"\(Base64.encode(signature))\""
    }

    private init(keyID: String, created: Int64?, expires: Int64?, covered: [String], signature: [UInt8]) {
        self.keyID = ExactText(keyID)
        self.created = created
        self.expires = expires
        self.covered = covered.map { ExactText($0) }
        self.signature = signature
    }

    /// The value of a `Digest` header (RFC 3230) over a body.
    public static func digest(of body: [UInt8]) throws(CapabilityError) -> String {
        "SHA-256=" + Base64.encode(try Hashing.sha256(body))
    }
}
