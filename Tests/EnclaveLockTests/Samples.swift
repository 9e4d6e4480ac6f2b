import Encodings
import SecretMemory

/// Values that many tests share.
enum Samples {
    static let identity = RecordIdentity(
        tenant: "did:key:z6Mk", keystore: "c0000000000000000000", key: "k1", type: "ED25519", version: 1)

    /// Each differs from ``identity`` in one field.
    static let otherIdentities: [RecordIdentity] = [
        with { $0.tenant = "did:key:z6Ml" }, with { $0.keystore = "c0000000000000000001" }, with { $0.key = "k2" },
        with { $0.type = "AES256GCM" }, with { $0.version = 2 },
        // The same characters, divided otherwise.
        with {
            $0.key = "k"
            $0.type = "1ED25519"
        },
    ]

    static func secret(_ bytes: [UInt8]) throws -> SecretBytes {
        try SecretBytes.make(count: bytes.count) { $0.copyBytes(from: bytes) }
    }

    static func bytes(_ secret: borrowing SecretBytes) -> [UInt8] { secret.withUnsafeBytes { Array($0) } }
    static func bytes(_ secret: SharedSecret) -> [UInt8] { secret.withUnsafeBytes { Array($0) } }

    private static func with(_ change: (inout RecordIdentity) -> Void) -> RecordIdentity {
        var identity = identity
        change(&identity)
        return identity
    }
}
