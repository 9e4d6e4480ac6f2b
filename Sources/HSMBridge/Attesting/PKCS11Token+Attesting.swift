public import Token

extension PKCS11Token {
    /// Reads the attributes of the key as it is unwrapped in the token now, after it proved once more that it is the
    /// private half of its record's public key.
    ///
    /// The nonce goes into nothing that the token does: no PKCS #11 token signs what it says of a key.
    public func attest(_ key: ResidentKeyBlob, nonce: [UInt8]) async throws(HSMError) -> ResidentKeyEvidence {
        guard key.identifier.count == 16 else {
            throw HSMError(.invalidArgument, "A key identifier has 16 bytes, not \(key.identifier.count).")
        }
        return try await perform { (session, connection) throws(HSMError) in
            let handle = try Self.handle(of: key, session, connection)
            defer {
                for victim in connection.residents.release(key.identifier, handle) { try? session.destroy(victim) }
            }
            try ResidentFactory.prove(key, handle: handle, session: session)
            // The original: a session copy is not the object that `kmsd init` made.
            let wrappingKey = try connection.key(.residentWrap).original
            return .pkcs11(
                PKCS11Evidence(
                    key: try PKCS11KeyAttributes.read(handle, session),
                    wrappingKey: try PKCS11KeyAttributes.read(wrappingKey, session),
                    untold: try connection.untold(session)))
        }
    }
}
