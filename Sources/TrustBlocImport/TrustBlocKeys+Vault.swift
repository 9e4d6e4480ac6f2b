public import Encodings
public import WorkingKeys

extension TrustBlocKeys {
    /// The server's own keys for one keystore's vault.
    public struct VaultKeys: Sendable {
        /// For whom documents are encrypted.
        public let recipient: WorkingKey
        /// Names documents.
        public let mac: WorkingKey
        /// Signs calls; the vault's capability names it.
        public let invoker: KeyMaterial
    }

    /// Opens them with the server's lock.
    ///
    /// - Parameters:
    ///   - invoker: The public key that the vault's capability names; the server keeps its key under the thumbprint.
    ///   - records: The dump's keys, by id.
    /// - Throws: ``TrustBlocError`` naming the key that is missing, does not open or is another one; what a remote lock
    ///   throws.
    public func vaultKeys(
        of vault: TrustBlocDump.Vault, invoker: [UInt8], among records: [ExactText: [UInt8]]
    ) async throws -> VaultKeys {
        guard let name = try? PublicKeyEncoding.thumbprint(invoker, type: .ed25519) else {
            throw TrustBlocError.damaged
        }
        let signer = try await own(records[ExactText(name)], .ed25519, "the key that its vault's capability names")
        guard let key = signer.last, key.rawPublicKey == invoker else { throw TrustBlocError.damaged }
        return VaultKeys(
            recipient: try Self.working(
                try await own(records[ExactText(vault.recipientKeyID)], .nistP256ECDHKW, "its vault's recipient key")),
            mac: try Self.working(
                try await own(records[ExactText(vault.macKeyID)], .hmacSHA256Tag256, "its vault's MAC key")),
            invoker: key)
    }

    private func own(_ record: [UInt8]?, _ type: KeyType, _ what: String) async throws -> [KeyMaterial] {
        guard let record else { throw TrustBlocError(.locked, "\(what) is not in the dump") }
        do {
            let keyset = try TinkKeyset(reading: try await StoredKeyset(json: record).open(with: server))
            guard keyset.type == type else {
                throw TrustBlocError(.unsupported, "it is of type \(keyset.type.rawValue)")
            }
            return keyset.versions
        } catch let error as TrustBlocError {
            throw TrustBlocError(error.code, "\(what): \(error.message)")
        }
    }

    private static func working(_ versions: [KeyMaterial]) throws(TrustBlocError) -> WorkingKey {
        do {
            return try WorkingKey(versions: versions, primary: versions.count - 1)
        } catch {
            throw TrustBlocError(.internalFailure, error.message)
        }
    }
}
