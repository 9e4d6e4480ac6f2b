import Encodings

/// A document as the vault's server keeps it.
///
/// - Source: Encrypted Data Vaults draft, encrypted documents; members as TrustBloc's key server sends them.
public struct VaultDocument: Sendable, Equatable {
    public var id: String
    public var content: EncryptedDocument

    public init(id: String, content: EncryptedDocument) {
        self.id = id
        self.content = content
    }

    /// Records of keys have no attributes to search for, so the index is empty.
    public func encoded() -> [UInt8] {
        Array(
            (#"{"id":\#(JSONText.quote(id)),"sequence":0,"#
                + #""indexed":[{"sequence":0,"hmac":{"id":"","type":""},"attributes":[]}],"jwe":\#(content.json)}"#)
                .utf8)
    }

    /// - Throws: `.damaged` for anything else than JSON with an id and a JWE of flattened form.
    public init(decoding bytes: [UInt8]) throws(EDVError) {
        guard let node = try? JSONNode(reading: bytes), let id = node["id"]?.text, let jwe = node["jwe"] else {
            throw .damaged("the answer is not an encrypted document")
        }
        self.init(id: id, content: try EncryptedDocument(jwe))
    }
}
