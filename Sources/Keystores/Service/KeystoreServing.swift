public import SecretMemory
public import WorkingKeys

/// The keystore domain as fronts see it: no HTTP, no authorisation.
///
/// Identifiers: keystores `[A-Za-z0-9_-]{1,64}`, keys `[A-Za-z0-9_.-]{1,128}` but not `.` or `..`; anything else is
/// `.invalidArgument` before any lookup. Every method throws ``KMSError``; beside the codes a method names, each may throw
/// `.tokenUnavailable`, `.storageUnavailable`, `.overloaded`, `.deadlineExceeded`, `.keystoreLocked` and `.internal`.
///
/// - Concurrency: any number of calls at once, from any task. A state change is visible to every call that starts
///   after it answered, and no earlier use gives its result after that.
public protocol KeystoreServing: Sendable {
    // MARK: Keystores and keys

    /// Makes a keystore with a fresh lock key.
    ///
    /// - Parameters:
    ///   - controller: 1 to 1,024 bytes of UTF-8 without control characters, stored verbatim.
    ///   - lock: What seals the lock key, by its name in the settings, such as `token`; nil for the configured one.
    ///   - vault: Where the keys' sealed bytes are kept; nil for the daemon's own store. It is called before anything
    ///     is stored.
    ///   - capability: Given the new id, makes the root capability's document that is stored with the keystore.
    /// - Throws: `.invalidArgument`; `.mechanismUnsupported` for `resident` without a token that can; `.quotaExceeded`;
    ///   `.upstreamFailed` if the vault cannot be used now.
    func createKeystore(
        controller: String, protection: Protection, lock: String?, vault: VaultLocation?,
        caller: Caller,
        capability: @Sendable (String) throws -> [UInt8]?
    ) async throws -> KeystoreMetadata

    /// Makes an Ed25519 signing key of the daemon's own, with which it calls a user's vault: the user delegates the
    /// vault's capability to it.
    ///
    /// - Returns: Its did:key URL with fragment.
    /// - Throws: `.quotaExceeded`.
    func createDID() async throws -> String

    /// Stores the capability of a keystore's vault, the first one or a new one, after the vault was called with it.
    ///
    /// - Parameter capability: JSON; its invoker is the daemon's key that the keystore was made with.
    /// - Throws: `.notFound`; `.invalidArgument` for a keystore without vault and a capability that cannot be used;
    ///   `.upstreamFailed`; `.conflict` if another request changes the vault meanwhile.
    func setVaultCapability(keystore: String, capability: [UInt8], caller: Caller) async throws

    /// What the keystore's row says of who may use it. Opens nothing, so nothing proves it.
    ///
    /// - Throws: `.notFound`.
    func claims(_ keystore: String) async throws -> KeystoreClaims

    /// The root capability's document, authenticated with the keystore's row; nil if it was made without.
    ///
    /// - Throws: `.notFound`.
    func rootCapability(_ keystore: String, caller: Caller) async throws -> [UInt8]?

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

    // MARK: Operations

    /// - Throws: `.notFound`, `.keyDisabled`, `.invalidArgument` for a key that cannot sign or a message too long.
    func sign(keystore: String, key: String, message: [UInt8], caller: Caller) async throws -> [UInt8]

    /// Returns if the signature was made by any version of the key.
    ///
    /// - Throws: `.signatureInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func verify(keystore: String, key: String, signature: [UInt8], message: [UInt8], caller: Caller) async throws

    /// - Returns: Ciphertext then tag, and the nonce: 12 bytes, or 24 for XChaCha20-Poly1305.
    /// - Throws: `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func encrypt(
        keystore: String, key: String, message: [UInt8], associatedData: [UInt8], caller: Caller
    ) async throws -> (ciphertext: [UInt8], nonce: [UInt8])

    /// Opens what any version of the key encrypted.
    ///
    /// - Throws: `.ciphertextInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func decrypt(
        keystore: String, key: String, ciphertext: [UInt8], associatedData: [UInt8], nonce: [UInt8], caller: Caller
    ) async throws -> [UInt8]

    /// - Returns: 37 bytes: 0x01, key id, tag.
    /// - Throws: `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func computeMAC(keystore: String, key: String, data: [UInt8], caller: Caller) async throws -> [UInt8]

    /// Returns if the MAC was made by any version of the key.
    ///
    /// - Throws: `.signatureInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func verifyMAC(keystore: String, key: String, mac: [UInt8], data: [UInt8], caller: Caller) async throws

    // MARK: Key agreement

    /// Wraps a content key for a recipient who does not learn by whom (ECDH-ES+A256KW).
    ///
    /// - Throws: `.notFound`; `.invalidArgument` for a content key of a wrong length or a point off its curve.
    func wrap(
        keystore: String, contentKey: SharedSecret, recipient: AgreementPublicKey, apu: [UInt8], apv: [UInt8],
        options: WrapOptions, caller: Caller
    ) async throws -> WrappedKey

    /// Wraps a content key so that the recipient knows the sender (ECDH-1PU).
    ///
    /// - Parameter tag: The authentication tag of the content; may be empty.
    /// - Throws: `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func wrap(
        keystore: String, sender: String, contentKey: SharedSecret, recipient: AgreementPublicKey, apu: [UInt8],
        apv: [UInt8], tag: [UInt8], options: WrapOptions, caller: Caller
    ) async throws -> WrappedKey

    /// Unwraps a content key with any version of the key.
    ///
    /// - Throws: `.ciphertextInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func unwrap(
        keystore: String, key: String, wrapped: WrappedKey, sender: AgreementPublicKey?, tag: [UInt8], caller: Caller
    ) async throws -> SharedSecret

    /// Boxes a payload (NaCl) with the X25519 form of an Ed25519 key.
    ///
    /// - Throws: `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func easy(
        keystore: String, key: String, payload: [UInt8], nonce: [UInt8], peer: [UInt8], caller: Caller
    ) async throws -> [UInt8]

    /// Opens a box with the key whose public half is `own`; `key` names it in case it was rotated.
    ///
    /// - Throws: `.ciphertextInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func easyOpen(
        keystore: String, key: String?, box: [UInt8], nonce: [UInt8], peer: [UInt8], own: [UInt8], caller: Caller
    ) async throws -> [UInt8]

    /// Opens a sealed box, as ``easyOpen(keystore:key:box:nonce:peer:own:)``.
    func sealOpen(keystore: String, key: String?, box: [UInt8], own: [UInt8], caller: Caller) async throws -> [UInt8]

    // MARK: Lists of messages (BBS+)

    /// Signs a list of 1 to 1,000 messages.
    ///
    /// - Returns: 112 bytes.
    /// - Throws: `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func signMulti(keystore: String, key: String, messages: [[UInt8]], caller: Caller) async throws -> [UInt8]

    /// Returns if the signature was made by any version of the key.
    ///
    /// - Throws: `.signatureInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func verifyMulti(keystore: String, key: String, signature: [UInt8], messages: [[UInt8]], caller: Caller)
        async throws

    /// Derives a proof that shows some of the messages of a signature that any version of the key made.
    ///
    /// - Throws: `.signatureInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument` for indexes that name no message.
    func deriveProof(keystore: String, key: String, _ request: ProofRequest, caller: Caller) async throws -> [UInt8]

    /// Returns if the proof is of a signature that any version of the key made.
    ///
    /// - Parameter messages: The revealed ones and no other, in the order of their indexes.
    /// - Throws: `.signatureInvalid`; `.notFound`, `.keyDisabled`, `.invalidArgument`.
    func verifyProof(
        keystore: String, key: String, proof: [UInt8], messages: [[UInt8]], nonce: [UInt8], caller: Caller
    ) async throws

    // MARK: Metadata

    /// Lists keystores by id, as stored; ``keystore(_:)`` also authenticates the record.
    ///
    /// - Parameters:
    ///   - controller: Only this controller's, or nil for all.
    ///   - after: A page's ``Page/next``, or nil to begin.
    ///   - limit: 1 to 1,000.
    func keystores(controller: String?, after: String?, limit: Int) async throws -> Page<KeystoreMetadata>

    /// - Throws: `.notFound`.
    func keystore(_ id: String, caller: Caller) async throws -> KeystoreMetadata

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

    /// Forgets the share of a user that another server keeps, and everything that the user's shares opened.
    ///
    /// - Returns: How many keystores were open through them.
    func forgetShares(of user: String) async -> Int

    /// Why the service cannot serve now; empty when it can. Tries the store and the lock, at most once a second.
    var readiness: [ReadinessProblem] { get async }
}

extension KeystoreServing {
    /// Makes a keystore that no capability guards.
    public func createKeystore(controller: String, protection: Protection) async throws -> KeystoreMetadata {
        try await createKeystore(controller: controller, protection: protection, lock: nil, vault: nil, caller: .nobody)
        { _ in nil }
    }
}

extension KeystoreServing {
    /// A service without locks of shares has nothing to forget.
    public func forgetShares(of user: String) async -> Int { 0 }
}

extension KeystoreServing {
    /// Destroys every key whose time has come.
    ///
    /// - Returns: How many were destroyed.
    public func sweep() async throws -> Int { try await sweep { _ in } }
}
