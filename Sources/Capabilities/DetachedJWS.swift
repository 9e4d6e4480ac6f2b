import Encodings

/// A JWS whose payload is elsewhere and is signed unencoded (RFC 7797): header ‖ ".." ‖ signature.
///
/// The header is read by its members, since writers differ in their order and spacing, and the text that came is what was
/// signed (RFC 7515 §5.2).
struct DetachedJWS {
    /// As received, base64url.
    let header: String
    let signature: [UInt8]

    private static let longestHeader = 1_024

    /// - Throws: `.unauthorized` naming the member at fault.
    init(_ text: String) throws(CapabilityError) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].isEmpty, let signature = Base64.decode(parts[2], .either) else {
            throw .unauthorized("the jws is not a detached EdDSA signature")
        }
        header = String(decoding: parts[0], as: UTF8.self)
        self.signature = signature
        try Self.check(parts[0])
    }

    /// Exactly what the proof suite fixes: EdDSA, over a payload that is not encoded. Other members change nothing, unless
    /// `crit` says that they must be understood (RFC 7515 §4).
    private static func check(_ header: Substring.UTF8View) throws(CapabilityError) {
        guard header.count <= longestHeader, !header.contains(UInt8(ascii: "=")),
            let bytes = Base64.decode(header, .url), let node = try? JSONNode(reading: bytes),
            case .object(let members) = node
        else { throw .unauthorized("the header of the jws is not a JSON object in base64url") }
        guard let algorithm = members["alg"]?.text, Array(algorithm.utf8) == Array("EdDSA".utf8) else {
            throw .unauthorized("the jws is not a detached EdDSA signature: alg is not EdDSA")
        }
        guard case .bool(false) = members["b64"] else {
            throw .unauthorized("the header of the jws does not say that the payload is unencoded: b64 is not false")
        }
        guard case .array(let critical) = members["crit"], critical.count == 1, let name = critical[0].text,
            Array(name.utf8) == Array("b64".utf8)
        else {
            throw .unauthorized("the header of the jws wants more, or less, than b64 understood: crit is not [\"b64\"]")
        }
    }
}
