import EnclaveLock
import Encodings
import LibCrypto
import SecretMemory
import Token

/// What a token answers to a challenge with a secret that it opened: two tokens that answer alike have opened the same.
enum OpenedProof {
    static let length = 32

    /// HMAC-SHA-256 of the challenge and the record's name under a key that is derived from the secret for this alone, so the
    /// answer tells nothing of the secret that helps to use or to find it.
    static func answer(
        _ secret: SharedSecret, challenge: [UInt8], kind: String, name: String
    ) throws -> [UInt8] {
        var fields = RecordFields(.migrationProof)
        fields.append(challenge)
        fields.append(kind)
        fields.append(name)
        let key = try secret.withSecret {
            try HKDF.sha256(inputKey: $0, salt: [], info: Labels.migrationProofKey.bytes, count: length)
        }
        return try HMAC.sha256(key: key, fields.bytes)
    }

    /// What tells whether a record is as it was.
    static func rowHash(_ secret: TokenSealedSecret) throws -> [UInt8] {
        var fields = RecordFields(capacity: 512)
        fields.append(secret.role.rawValue)
        fields.append(secret.sealed)
        fields.append(secret.context)
        fields.append(secret.targetContext)
        fields.append(secret.content)
        return try Digest.sha256(fields.bytes)
    }
}
