public import SecretMemory
public import Token

/// Sealing under keys that never leave the TPM; see `RecordKeys` for the construction.
///
/// This process holds, in locked memory and for the time of the call, the key of the one record; never the role's key.
extension TPMToken: Sealing {
    /// - Returns: version(1) = 2 ‖ salt(32) ‖ ciphertext(n) ‖ tag(16).
    public func seal(
        _ plaintext: SharedSecret, under role: KeyRole, context: [UInt8]
    ) async throws(HSMError) -> [UInt8] {
        try Self.checkSealing(role, context)
        let salt = SystemRandom.bytes(RecordKeys.saltLength)
        let key = try await recordKey(role, salt: salt, context: context)
        return try RecordKeys.seal(plaintext, key: key, salt: salt, context: context)
    }

    public func open(_ sealed: [UInt8], under role: KeyRole, context: [UInt8]) async throws(HSMError) -> SharedSecret {
        try Self.checkSealing(role, context)
        let key = try await recordKey(role, salt: try RecordKeys.salt(of: sealed), context: context)
        return try RecordKeys.open(sealed, key: key, context: context)
    }

    /// `tpm:` and the names of the storage key and the root lock key, which no other TPM has.
    public var sealingIdentity: String {
        guard let manifest, let root = manifest[.rootLock] else { return configuration.address.description }
        return "tpm:\(manifest.token.serial)/\(root.fingerprint)"
    }

    private func recordKey(_ role: KeyRole, salt: [UInt8], context: [UInt8]) async throws(HSMError) -> SharedSecret {
        try await perform { (connection) throws(HSMError) in
            try connection.recordKey(role, salt: salt, recordContext: context)
        }
    }

    private static func checkSealing(_ role: KeyRole, _ context: [UInt8]) throws(HSMError) {
        guard role.seals else {
            throw HSMError(.invalidArgument, "The role '\(role.rawValue)' does not seal.")
        }
        try RecordKeys.checkContext(context)
    }
}
