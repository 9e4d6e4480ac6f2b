import Hummingbird

/// How a generation of the API writes the answers of operations on keys: the names of members that differ, and the base64 of
/// byte strings. The last generation of clients and the first one share everything else.
struct MemberNames: Sendable {
    let ciphertext: StaticString
    let plaintext: StaticString
    /// Whether it is the first generation, whose byte strings are in the URL-safe alphabet.
    let isFirst: Bool

    /// Source: keystore API section 4.
    static let present = MemberNames(ciphertext: "ciphertext", plaintext: "plaintext", isFirst: false)
    /// Source: keystore API section 14.
    static let firstGeneration = MemberNames(ciphertext: "cipherText", plaintext: "plainText", isFirst: true)

    func object(capacity: Int = 256, _ body: (inout JSONWriter) -> Void) -> Response {
        Responses.json(JSONWriter.object(capacity: capacity, urlSafe: isFirst, body))
    }
}
