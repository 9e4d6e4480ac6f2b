import Encodings
import Foundation

/// The document of a keystore made under GNAP, kept where others keep their root capability: `{"gnap_owner":"…"}`.
enum GNAPOwner {
    /// - Parameter owner: `sub:` and a subject, or `key:` and a thumbprint.
    static func document(_ owner: String) throws -> [UInt8] {
        Array(try JSONEncoder().encode(["gnap_owner": owner]))
    }

    /// Nil for other documents.
    static func owner(_ document: [UInt8]) -> String? {
        (try? JSONNode(reading: document))?["gnap_owner"]?.text
    }
}
