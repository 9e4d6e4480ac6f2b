import Foundation
import SecretMemory
import Testing
import WorkingKeys

/// What tests of key agreement need besides keys.
enum AgreementSamples {
    static func secret(_ count: Int) throws -> SharedSecret { SharedSecret(try SecretBytes.random(count: count)) }

    /// Reads the JSON that the export answers.
    static func publicKey(_ exported: [UInt8]) throws -> AgreementPublicKey {
        let members = try #require(try JSONSerialization.jsonObject(with: Data(exported)) as? [String: String])
        func bytes(_ name: String) throws -> [UInt8] { [UInt8](try #require(Data(base64Encoded: members[name] ?? ""))) }
        return try AgreementPublicKey(
            keyID: members["kid"] ?? "", curve: members["curve"] ?? "", type: members["type"] ?? "", x: bytes("x"),
            y: bytes("y"))
    }
}
