import Audit
import Encodings
import Foundation

/// A statement with the audit key's signature. It can be checked with nothing but public keys.
public struct SignedAttestation: Codable, Sendable, Hashable {
    /// Bytes of a caller's nonce.
    public static let nonceLengths = 16...64
    /// Bytes of the JSON form.
    public static let longestForm = 64 * 1024

    public var statement: AttestationStatement
    /// r ‖ s by the audit key over ``signed``; 64 bytes.
    public var signature: HexBytes

    public init(_ statement: AttestationStatement, signature: [UInt8]) {
        self.statement = statement
        self.signature = HexBytes(signature)
    }

    /// What is signed: the fields label `kmsd/attestation/v1` and the statement's JSON form.
    public static func signed(_ statement: AttestationStatement) -> [UInt8] {
        var fields = RecordFields(.attestation)
        fields.append(PlainJSON.encode(statement))
        return fields.bytes
    }

    /// The one JSON form: members sorted, no white space, printable ASCII only.
    public var json: String { PlainJSON.encode(self) }

    /// Reads ``json``; a newline at its end is ignored.
    ///
    /// - Throws: ``AttestationError`` with `.malformed` for anything but exactly what ``json`` gives; so no member is
    ///   unknown, missing, repeated or spelled in another way.
    public init(json: [UInt8]) throws(AttestationError) {
        let text = json.last == 0x0A ? Array(json.dropLast()) : json
        guard text.count <= Self.longestForm,
            let read = try? JSONDecoder().decode(SignedAttestation.self, from: Data(text)),
            read.statement.version == 1, read.json.utf8.elementsEqual(text)
        else {
            throw AttestationError(
                .malformed, "This is no attestation of version 1 in the form in which it was given out.")
        }
        self = read
    }
}
