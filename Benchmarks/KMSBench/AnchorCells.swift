import Anchors
import Encodings
import HSMBridge
import Pairing
import SecretMemory
import Token

/// The server's product for one message, by the token in both ways and sealed by it.
enum AnchorCells {
    static func measure(uri: String) async throws {
        try await BenchToken.with(uri: uri) { try await measure($0) }
    }

    private static func measure(_ token: PKCS11Token) async throws {
        let identity = RecordIdentity(tenant: "bench", keystore: "", key: "anchor", type: "anchor", version: 1)
        let message = try BLS0Chain.HashedMessage([UInt8](repeating: 0x5a, count: 32))
        let ways: [(String, AnchorSettings)] = [
            ("anchored, second product", AnchorSettings(placement: .anchored, recovery: .secondProduct)),
            ("anchored, pairing", AnchorSettings(placement: .anchored, recovery: .pairing)),
            ("sealed", AnchorSettings(placement: .sealed)),
        ]
        for (name, settings) in ways {
            let keeper = TokenAnchorKeeper(token: token, settings: settings)
            let record = try await keeper.take(try scalar(), identity: identity)
            try await BatchTimer.measure("anchor: product, \(name)", turns: 5, batches: 60) {
                _ = try await keeper.multiply(record, message, identity: identity)
            }
        }
    }

    private static func scalar() throws -> SharedSecret {
        SharedSecret(
            try SecretBytes.make(count: 32) { output in
                try BLS0Chain.generateSecretKey(into: output) { target in
                    try SecretBytes.random(count: target.count).withUnsafeBytes { target.copyMemory(from: $0) }
                }
            })
    }
}
