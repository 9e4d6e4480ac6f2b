import Encodings
import Foundation
import SecretMemory

/// A small JSON object between our two roles, whose secrets go from locked memory straight into its bytes.
struct WireObject {
    private var members: [UInt8] = []

    var bytes: [UInt8] { [UInt8(ascii: "{")] + members + [UInt8(ascii: "}")] }

    mutating func member(_ name: String, _ text: String) {
        key(name)
        members += Self.encoded(text)
    }

    mutating func member(_ name: String, _ texts: [String]) {
        key(name)
        members += Self.encoded(texts)
    }

    mutating func member(_ name: String, _ number: Int64) {
        key(name)
        members += Array(String(number).utf8)
    }

    mutating func member(_ name: String, _ flag: Bool) {
        key(name)
        members += Array(String(flag).utf8)
    }

    mutating func member(_ name: String, secret: SharedSecret) {
        key(name)
        members.append(UInt8(ascii: "\""))
        members.reserveCapacity(members.count + 2 * secret.count + 1)
        secret.withUnsafeBytes { bytes in
            for byte in bytes {
                let (high, low) = SecretHexadecimal.digits(byte)
                members += [high, low]
            }
        }
        members.append(UInt8(ascii: "\""))
    }

    /// A text member of an answer.
    static func text(_ name: String, in body: [UInt8]) -> String? {
        // exact: asked for by names of our own.
        (try? JSONDecoder().decode([String: String].self, from: Data(body)))?[name]
    }

    static func overwrite(_ bytes: inout [UInt8]) {
        for index in bytes.indices { bytes[index] = 0 }
    }

    private mutating func key(_ name: String) {
        if !members.isEmpty { members.append(UInt8(ascii: ",")) }
        members += Array("\"\(name)\":".utf8)
    }

    private static func encoded(_ value: some Encodable) -> [UInt8] {
        // Texts and arrays of texts always encode.
        (try? JSONEncoder().encode(value)).map { [UInt8]($0) } ?? Array("null".utf8)
    }
}
