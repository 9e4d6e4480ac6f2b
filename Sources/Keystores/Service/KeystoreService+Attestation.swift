import Token

extension KeystoreService {
    public func facts(keystore: String, key: String, nonce: [UInt8], caller: Caller = .nobody) async throws -> KeyFacts
    {
        try IdentifierRules.checkKey(key)
        return try await translated {
            let keystore = try await open(keystore, caller)
            let address = KeyAddress(keystore: keystore.record.id, key: key)
            let record = try await enabledRow(address, in: keystore)
            let complete = try await complete(record, in: keystore)
            // Opening proves that the public key is the private key's.
            let opened = try makingRoom { try openKey(complete, in: keystore) }
            var evidence: ResidentKeyEvidence?
            if case .resident(let resident) = opened.body { evidence = try await word(of: resident, nonce: nonce) }
            // The key may have been disabled or destroyed while the device answered.
            guard try await enabledRow(address, in: keystore).authenticator == record.authenticator else {
                throw KMSError(.conflict, "The key '\(key)' was changed by another request meanwhile; try again.")
            }
            let metadata = try Self.metadata(record, in: keystore)
            guard let version = metadata.versions.last else { throw KMSError.damaged("key '\(key)'") }
            return KeyFacts(
                metadata: metadata, version: version, locks: Self.metadata(keystore.record).lockSlots,
                evidence: evidence)
        }
    }

    /// Nothing is told of a row that is not authentic: provenance and public key are in its authenticator.
    private func enabledRow(_ address: KeyAddress, in keystore: OpenKeystore) async throws -> KeyRecord {
        let record = try await row(address, in: keystore)
        guard record.state == KeyState.enabled.rawValue else {
            throw KMSError(.keyDisabled, "The key '\(address.key)' is \(record.state).")
        }
        return record
    }

    private func word(of key: ResidentKey, nonce: [UInt8]) async throws -> ResidentKeyEvidence {
        do {
            return try await key.evidence(nonce: nonce)
        } catch let error as HSMError where error.code == .mechanismUnsupported {
            // The message names no secret, and what it names only an operator can change.
            throw KMSError(.mechanismUnsupported, error.message, underlying: error)
        }
    }
}
