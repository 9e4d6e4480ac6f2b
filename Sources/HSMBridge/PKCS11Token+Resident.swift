public import Token

extension PKCS11Token: ResidentKeyOperations {
    public var residentAlgorithms: Set<ResidentAlgorithm> { supervisor.residentAlgorithms }

    public func generateResident(_ algorithm: ResidentAlgorithm) async throws(HSMError) -> ResidentKeyBlob {
        try await perform { (session, connection) throws(HSMError) in
            guard connection.residentAlgorithms.contains(algorithm) else {
                throw HSMError(.mechanismUnsupported, "This token cannot hold \(algorithm.rawValue) keys.")
            }
            return try ResidentFactory.generate(
                algorithm, session: session, wrappingKey: connection.key(.residentWrap).hot)
        }
    }

    public func sign(digest: [UInt8], with key: ResidentKeyBlob) async throws(HSMError) -> [UInt8] {
        guard let curve = key.algorithm.curve, !key.algorithm.isAgreement else { throw Self.wrongUse(key, "sign") }
        guard curve.isEdwards || (20...64).contains(digest.count) else {
            throw HSMError(.invalidArgument, "A digest has 20 to 64 bytes, not \(digest.count).")
        }
        return try await use(key) { (session, handle) throws(HSMError) in
            try session.sign(key.algorithm.mechanism, key: handle, digest, length: curve.signatureLength)
        }
    }

    public func mac(_ data: [UInt8], with key: ResidentKeyBlob) async throws(HSMError) -> [UInt8] {
        guard key.algorithm == .hmacSHA256 else { throw Self.wrongUse(key, "compute MACs") }
        return try await use(key) { (session, handle) throws(HSMError) in
            try session.mac(.sha256HMAC, key: handle, data, length: 32)
        }
    }

    public func encrypt(
        _ plaintext: [UInt8], nonce: [UInt8], associatedData: [UInt8], with key: ResidentKeyBlob
    ) async throws(HSMError) -> [UInt8] {
        try Self.checkAES(key, nonce)
        return try await use(key) { (session, handle) throws(HSMError) in
            try GCM.encrypt(plaintext, key: handle, iv: nonce, associatedData: associatedData, session: session)
        }
    }

    public func decrypt(
        _ ciphertext: [UInt8], nonce: [UInt8], associatedData: [UInt8], with key: ResidentKeyBlob
    ) async throws(HSMError) -> [UInt8] {
        try Self.checkAES(key, nonce)
        guard ciphertext.count >= Mechanism.gcmTagLength else { throw HSMError.notAuthentic }
        return try await use(key) { (session, handle) throws(HSMError) in
            try GCM.decrypt(ciphertext, key: handle, iv: nonce, associatedData: associatedData, session: session)
        }
    }

    public func forget(_ identifier: [UInt8]) async {
        // Nothing to forget on a token that is away: its session objects are gone with the sessions.
        try? await perform { (session, connection) throws(HSMError) in
            if let handle = connection.residents.forget(identifier) { try session.destroy(handle) }
        }
    }

    // MARK: Use

    /// Runs an operation with the unwrapped key, unwrapping and proving it first if it is not in the token: one change of threads
    /// either way.
    func use<R: Sendable>(
        _ key: ResidentKeyBlob, _ body: @escaping @Sendable (borrowing Session, ObjectHandle) throws(HSMError) -> R
    ) async throws(HSMError) -> R {
        guard key.identifier.count == 16 else {
            throw HSMError(.invalidArgument, "A key identifier has 16 bytes, not \(key.identifier.count).")
        }
        return try await perform { (session, connection) throws(HSMError) in
            let handle = try Self.handle(of: key, session, connection)
            defer {
                // Eviction is not the request's business: what cannot be destroyed dies with the keeper session.
                for victim in connection.residents.release(key.identifier, handle) { try? session.destroy(victim) }
            }
            return try body(session, handle)
        }
    }

    static func handle(
        of key: ResidentKeyBlob, _ session: borrowing Session, _ connection: Connection
    ) throws(HSMError) -> ObjectHandle {
        if let handle = try connection.residents.acquire(key) { return handle }
        let wrappingKey = try connection.key(.residentWrap).hot
        let fresh = try connection.withKeeper { (keeper) throws(HSMError) in
            try ResidentFactory.unwrap(key, keeper: keeper, wrappingKey: wrappingKey)
        }
        do throws(HSMError) {
            try ResidentFactory.prove(key, handle: fresh, session: session)
        } catch {
            try? session.destroy(fresh)
            throw error
        }
        let (handle, victims) = connection.residents.insert(fresh, for: key)
        for victim in victims { try? session.destroy(victim) }
        return handle
    }

    static func wrongUse(_ key: ResidentKeyBlob, _ verb: String) -> HSMError {
        HSMError(.invalidArgument, "A key of kind \(key.algorithm.rawValue) does not \(verb).")
    }

    private static func checkAES(_ key: ResidentKeyBlob, _ nonce: [UInt8]) throws(HSMError) {
        guard key.algorithm.isAES else { throw wrongUse(key, "encrypt") }
        guard nonce.count == Mechanism.gcmIVLength else {
            throw HSMError(.invalidArgument, "A nonce has 12 bytes, not \(nonce.count).")
        }
    }
}
