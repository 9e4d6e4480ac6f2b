public import SecretMemory

/// Keys and their life: made, imported, listed, disabled, destroyed.
///
/// Every method throws ``KMSError``, as ``KeystoreServing`` says.
public protocol KeyManaging: Sendable {
    /// Makes a key of a type named as in the API, such as `ED25519`. Asymmetric keys are named by their RFC 7638
    /// thumbprint (43 characters), others by 50 random characters.
    ///
    /// - Throws: `.invalidArgument` for an unknown type, `.notFound`, `.mechanismUnsupported`, `.quotaExceeded`.
    func createKey(keystore: String, type: String, caller: Caller) async throws -> CreatedKey

    /// Stores a caller's private key.
    ///
    /// - Parameters:
    ///   - pkcs8: DER of PKCS#8; its curve must be the type's.
    ///   - keyID: nil or empty for 50 random characters.
    /// - Returns: The key's id.
    /// - Throws: `.invalidArgument`, `.notFound`, `.alreadyExists`, `.mechanismUnsupported` in a resident keystore.
    func importKey(keystore: String, type: String, pkcs8: SharedSecret, keyID: String?, caller: Caller) async throws
        -> String

    /// Gives the public key of the primary version in its type's export form.
    ///
    /// - Throws: `.notFound`, `.keyDisabled`, `.invalidArgument` for a symmetric key.
    func exportKey(keystore: String, key: String, caller: Caller) async throws -> (publicKey: [UInt8], type: String)

    /// Adds a primary version and renames the key in one step; older versions keep verifying and decrypting under the
    /// new id. The old id stops working.
    ///
    /// - Returns: The new id.
    /// - Throws: `.invalidArgument` unless `type` is the key's type; `.notFound`, `.keyDisabled`.
    func rotateKey(keystore: String, key: String, type: String, caller: Caller) async throws -> String

    /// Lists a keystore's keys by id, destroyed ones included. A damaged record is listed as such and stops nothing.
    ///
    /// - Parameter limit: 1 to 1,000.
    func keys(keystore: String, after: String?, limit: Int, caller: Caller) async throws -> Page<KeyMetadata>

    /// - Throws: `.notFound`.
    func key(keystore: String, key: String, caller: Caller) async throws -> KeyMetadata

    /// What may be attested of a key.
    ///
    /// - Parameter nonce: 16 to 64 bytes of whoever asks; a device that signs its word signs it too.
    /// - Throws: `.notFound`, `.keyDisabled`; `.mechanismUnsupported` if the device says nothing of its keys.
    func facts(keystore: String, key: String, nonce: [UInt8], caller: Caller) async throws -> KeyFacts

    // MARK: Life

    /// Refuses every use from the moment this answers. Disabling a disabled key changes nothing.
    ///
    /// - Throws: `.notFound`; `.keyDisabled` for a key pending destruction or destroyed.
    func disableKey(keystore: String, key: String, caller: Caller) async throws -> KeyMetadata

    /// Allows use again. Enabling an enabled key changes nothing.
    ///
    /// - Throws: `.notFound`; `.keyDisabled` for a key pending destruction (cancel that first) or destroyed.
    func enableKey(keystore: String, key: String, caller: Caller) async throws -> KeyMetadata

    /// Refuses every use from now and destroys the key after `grace`; zero destroys before answering. A second call may
    /// only bring the time forward.
    ///
    /// - Parameter grace: nil for the configured time; 0 to 365 days.
    /// - Throws: `.notFound`, `.invalidArgument`; `.keyDisabled` if already destroyed.
    func destroyKey(keystore: String, key: String, grace: Duration?, caller: Caller) async throws -> KeyMetadata

    /// Takes a key pending destruction back; it is disabled then.
    ///
    /// - Throws: `.notFound`; `.keyDisabled` if destroyed; `.invalidArgument` if not pending.
    func cancelDestruction(keystore: String, key: String, caller: Caller) async throws -> KeyMetadata

    /// Destroys every key whose time has come. One that cannot be destroyed does not stop the others.
    ///
    /// - Parameter didDestroy: Told of each, right after it is gone.
    /// - Returns: How many were destroyed.
    func sweep(_ didDestroy: @escaping @Sendable (KeyAddress) async -> Void) async throws -> Int
}

extension KeyManaging {
    /// Destroys every key whose time has come.
    ///
    /// - Returns: How many were destroyed.
    public func sweep() async throws -> Int { try await sweep { _ in } }
}
