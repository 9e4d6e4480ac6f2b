import Hummingbird

/// How a generation of the API writes the operations on keys: the names of members that differ, and the base64 of byte
/// strings. The last generation of clients and the first one share everything else.
struct Wording: Sendable {
    let associatedData: StaticString
    let ciphertext: StaticString
    let plaintext: StaticString
    let revealedIndexes: StaticString
    let isURLSafe: Bool

    /// Source: keystore API section 4.
    static let present = Wording(
        associatedData: "associated_data", ciphertext: "ciphertext", plaintext: "plaintext",
        revealedIndexes: "revealed_indexes", isURLSafe: false)
    /// Source: keystore API section 14.
    static let firstGeneration = Wording(
        associatedData: "aad", ciphertext: "cipherText", plaintext: "plainText", revealedIndexes: "revealedindexes",
        isURLSafe: true)

    func object(capacity: Int = 256, _ body: (inout JSONWriter) -> Void) -> Response {
        Answer.json(JSONWriter.object(capacity: capacity, urlSafe: isURLSafe, body))
    }
}
