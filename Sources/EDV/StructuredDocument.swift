import Capabilities
import Encodings

/// What is encrypted: a record and the name of its key.
///
/// - Source: Encrypted Data Vaults draft, structured documents, with the content members of TrustBloc's key server.
public struct StructuredDocument: Sendable, Equatable {
    /// The key's id.
    public var key: String
    /// The record, opaque here.
    public var value: [UInt8]

    public init(key: String, value: [UInt8]) {
        self.key = key
        self.value = value
    }

    /// JSON; members in a fixed order.
    public func encoded() -> [UInt8] {
        let content =
            #"{"unformattedKey":\#(JSONText.quote(key)),"unformattedValue":"\#(Base64.encode(value))""#
            + #","unformattedTags":null}"#
        return Array(#"{"id":"","meta":null,"content":\#(content)}"#.utf8)
    }

    /// - Throws: `.damaged` for anything else than JSON with both members.
    public init(decoding bytes: [UInt8]) throws(EDVError) {
        guard let node = try? JSONNode(reading: bytes), let content = node["content"],
            let key = content["unformattedKey"]?.text, let text = content["unformattedValue"]?.text,
            let value = Base64.decode(text, .either)
        else { throw .damaged("its content is not a key's record") }
        self.init(key: key, value: value)
    }
}
