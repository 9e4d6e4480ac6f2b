import CTSS2
public import Token

/// Keys made in the TPM and stored outside as blobs that only this TPM loads.
///
/// They carry the keys' authorization value, so a blob and the TPM without the PIN are of no use. AES and Edwards curves
/// are absent: TPMs have no AEAD and no Ed25519.
extension TPMToken: ResidentKeyOperations {
    public var residentAlgorithms: Set<ResidentAlgorithm> { queue.residentAlgorithms }

    public func generateResident(_ algorithm: ResidentAlgorithm) async throws(HSMError) -> ResidentKeyBlob {
        let lockout = configuration.address.lockout
        return try await perform { (connection) throws(HSMError) in
            guard connection.residentAlgorithms.contains(algorithm),
                let template = algorithm.template(lockout: lockout)
            else { throw HSMError(.mechanismUnsupported, "This TPM cannot hold \(algorithm.rawValue) keys.") }
            guard let primary = connection.primary else { throw HSMError(.keyMissing, "Provision the TPM first.") }
            let blob = try connection.context.makeKey(
                template, parent: primary.handle, authorization: connection.authorization)
            var publicKey: [UInt8]?
            if let curve = algorithm.tpmCurve {
                publicKey = TPMObject.point(of: blob.publicArea, width: curve.width)
                guard publicKey != nil else { throw HSMError(.deviceFailure, "The TPM gave no public key.") }
            }
            return ResidentKeyBlob(
                identifier: SystemRandom.bytes(16), algorithm: algorithm, wrapped: try blob.bytes(),
                publicKey: publicKey)
        }
    }

    public func sign(digest: [UInt8], with key: ResidentKeyBlob) async throws(HSMError) -> [UInt8] {
        guard let curve = key.algorithm.tpmCurve, !key.algorithm.isAgreement else { throw Self.wrongUse(key, "sign") }
        return try await use(key) { (connection, handle) throws(HSMError) in
            try connection.context.sign(handle, connection.authorization, digest: digest, width: curve.width)
        }
    }

    /// Data of any length; beyond what one command takes, a kibibyte at a time, and others wait meanwhile.
    public func mac(_ data: [UInt8], with key: ResidentKeyBlob) async throws(HSMError) -> [UInt8] {
        guard key.algorithm == .hmacSHA256 else { throw Self.wrongUse(key, "compute MACs") }
        return try await use(key) { (connection, handle) throws(HSMError) in
            try connection.context.hmac(handle, connection.authorization, data)
        }
    }

    public func encrypt(
        _ plaintext: [UInt8], nonce: [UInt8], associatedData: [UInt8], with key: ResidentKeyBlob
    ) async throws(HSMError) -> [UInt8] { throw Self.noEncryption }

    public func decrypt(
        _ ciphertext: [UInt8], nonce: [UInt8], associatedData: [UInt8], with key: ResidentKeyBlob
    ) async throws(HSMError) -> [UInt8] { throw Self.noEncryption }

    public func forget(_ identifier: [UInt8]) async {
        // Nothing to forget on a TPM that is away: what was loaded is gone.
        try? await perform { (connection) throws(HSMError) in
            if let handle = connection.residents.remove(identifier) { try connection.context.flush(handle) }
        }
    }

    // MARK: Use

    func use<R: Sendable>(
        _ key: ResidentKeyBlob, _ body: @escaping @Sendable (TPMConnection, ESYS_TR) throws(HSMError) -> R
    ) async throws(HSMError) -> R {
        guard key.identifier.count == 16 else {
            throw HSMError(.invalidArgument, "A key identifier has 16 bytes, not \(key.identifier.count).")
        }
        return try await perform { (connection) throws(HSMError) in
            try body(connection, try connection.load(key))
        }
    }

    private static let noEncryption = HSMError(.mechanismUnsupported, "A TPM has no authenticated encryption.")

    static func wrongUse(_ key: ResidentKeyBlob, _ verb: String) -> HSMError {
        HSMError(.invalidArgument, "A key of kind \(key.algorithm.rawValue) does not \(verb).")
    }
}

extension TPMConnection {
    /// The handle of a resident key, loaded if it is not yet.
    ///
    /// - Throws: `.authenticationFailed` for a blob that is not this TPM's, `.keyMismatch` if its public key is another.
    func load(_ key: ResidentKeyBlob) throws(HSMError) -> ESYS_TR {
        if let handle = try residents.handle(of: key) { return handle }
        guard let primary else { throw HSMError(.keyMissing, "Provision the TPM first.") }
        let blob = try TPMKeyBlob(key.wrapped)
        if let curve = key.algorithm.tpmCurve {
            guard TPMObject.point(of: blob.publicArea, width: curve.width) == key.publicKey else {
                throw HSMError(.keyMismatch, "A resident key's blob is of another public key.")
            }
        }
        while let victim = residents.makeRoom() { try context.flush(victim) }
        // The TPM checks that both halves belong together and are its own.
        let handle = try context.load(blob, parent: primary.handle)
        residents.insert(handle, for: key)
        return handle
    }

    /// Gives all slots back that are ours.
    func flushAll() throws(HSMError) {
        for handle in residents.removeAll() { try? context.flush(handle) }
        guard !configuration.address.path.isManaged, let primary else { return }
        context.endSession()
        try context.flushLeftovers()
        try context.startSession(saltedBy: primary.handle)
    }
}
