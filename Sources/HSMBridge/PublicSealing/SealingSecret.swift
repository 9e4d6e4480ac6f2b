import Encodings
import LibCrypto
import SecretMemory
import Token

/// The secret without which nothing that is sealed to a public key opens.
///
/// 32 random bytes, drawn with the pair and sealed to it (the `sentinel` of the manifest). The audit key signs them with the
/// pair's public half (the `proof`), so who can write the manifest can exchange neither: a public half of his own would show
/// him every new secret, a sealing secret of his own would let him make values that open.
enum SealingSecret {
    /// Gives the pairs of a manifest that seal, and have no secret yet, theirs.
    static func complete(_ manifest: inout TokenManifest, _ session: borrowing Session) throws(HSMError) {
        for role in KeyRole.sealing {
            guard var record = manifest[role], record.kind.sealsToPublicKey, record.sentinel == nil else { continue }
            let context = TokenManifest.sentinelContext(instance: manifest.instance, role: role)
            let sealing = PublicSealing(half: try SealingHalf(record), secret: nil)
            record.sentinel = Hexadecimal.encode(
                try sealing.seal(try WrappingSentinel.randomSecret(), context: context))
            guard let audit = manifest[.audit], let id = Hexadecimal.decode(audit.id) else {
                throw HSMError(.keyMissing, "The token holds no 'audit' key, which signs for the others.")
            }
            let found = try session.find(.search(.privateKey, id: id, label: audit.label))
            guard found.count == 1 else {
                throw HSMError(.keyMissing, "The token does not show the key '\(audit.label)' once.")
            }
            let message = message(role, record, manifest.instance)
            let digest = try PublicSealing.computing { () throws(LibCryptoError) in try Digest.sha256(message) }
            record.proof = Hexadecimal.encode(try session.sign(.ecdsa, key: found[0], digest, length: 64))
            manifest[role] = record
        }
    }

    /// - Throws: `.keyMismatch` unless the audit key of the manifest, which proves itself by use, signed for the record.
    static func checkProof(
        _ role: KeyRole, _ record: TokenManifest.Key, _ manifest: TokenManifest
    ) throws(HSMError) {
        guard let proof = record.proof.flatMap({ Hexadecimal.decode($0) }),
            let point = manifest[.audit]?.publicKey.flatMap({ Hexadecimal.decode($0) }),
            let key = try? VerificationKey(curve: .p256, publicKey: point),
            (try? key.verify(proof, message: message(role, record, manifest.instance), encoding: .p1363)) == true
        else {
            throw HSMError(
                .keyMismatch,
                "The manifest's entry for '\(record.label)' is not the one that the token signed. Nothing is sealed to it; "
                    + "restore manifest.json from the backup.")
        }
    }

    /// What the audit key signs.
    private static func message(_ role: KeyRole, _ record: TokenManifest.Key, _ instance: String) -> [UInt8] {
        var fields = RecordFields(.sealingSecret)
        fields.append(instance)
        fields.append(role.rawValue)
        fields.append(record.kind.rawValue)
        fields.append(record.id)
        fields.append(record.publicKey ?? "")
        fields.append(record.sentinel ?? "")
        return fields.bytes
    }
}
