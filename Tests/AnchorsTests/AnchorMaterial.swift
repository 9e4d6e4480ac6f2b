import Encodings
import Pairing
import SecretMemory
import TestSupport
import Testing
import Token

@testable import Anchors

/// What the tests of anchors need: scalars, messages, records of known products.
enum AnchorMaterial {
    static let identity = RecordIdentity(tenant: "alice", keystore: "w", key: "k", type: "anchor", version: 1)
    static let other = RecordIdentity(tenant: "bob", keystore: "w", key: "k", type: "anchor", version: 1)

    static func scalar() throws -> SharedSecret {
        SharedSecret(
            try SecretBytes.make(count: 32) { output in
                try BLS0Chain.generateSecretKey(into: output) { target in
                    try SecretBytes.random(count: target.count).withUnsafeBytes { target.copyMemory(from: $0) }
                }
            })
    }

    static func scalar(_ bytes: [UInt8]) throws -> SharedSecret {
        SharedSecret(try SecretBytes.make(count: bytes.count) { $0.copyBytes(from: bytes) })
    }

    static func message(_ text: String) throws -> BLS0Chain.HashedMessage {
        try BLS0Chain.HashedMessage(Array(text.utf8))
    }

    static func product(_ scalar: SharedSecret, _ message: BLS0Chain.HashedMessage) throws -> BN254.G1Point {
        try scalar.withUnsafeBytes { try BLS0Chain.sign(message, secretKey: $0) }
    }

    static func code(_ body: () async throws -> Void) async -> AnchorError.Code? {
        let error = await #expect(throws: AnchorError.self) { try await body() }
        return error?.code
    }

    /// Strict hexadecimal.
    static func bytes(_ text: String) throws -> [UInt8] {
        let digits = Array(text)
        try #require(digits.count % 2 == 0)
        return try stride(from: 0, to: digits.count, by: 2).map {
            try #require(UInt8(String(digits[$0...($0 + 1)]), radix: 16))
        }
    }
}
