/// Keystores themselves: no HTTP, no authorisation.
///
/// Every method throws ``KMSError``, as ``KeystoreServing`` says.
public protocol KeystoreManaging: Sendable {
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
    func unverifiedRow(_ keystore: String) async throws -> UnverifiedKeystoreRow

    /// The root capability's document, authenticated with the keystore's row; nil if it was made without.
    ///
    /// - Throws: `.notFound`.
    func rootCapability(_ keystore: String, caller: Caller) async throws -> [UInt8]?

    /// Lists keystores by id, as stored; ``keystore(_:)`` also authenticates the record.
    ///
    /// - Parameters:
    ///   - controller: Only this controller's, or nil for all.
    ///   - after: A page's ``Page/next``, or nil to begin.
    ///   - limit: 1 to 1,000.
    func keystores(controller: String?, after: String?, limit: Int) async throws -> Page<KeystoreMetadata>

    /// - Throws: `.notFound`.
    func keystore(_ id: String, caller: Caller) async throws -> KeystoreMetadata

    /// Forgets the share of a user that another server keeps, and everything that the user's shares opened.
    ///
    /// - Returns: How many keystores were open through them.
    func forgetShares(of user: String) async -> Int

    /// Why the service cannot serve now; empty when it can. Tries the store and the lock, at most once a second.
    var readiness: [ReadinessProblem] { get async }
}

extension KeystoreManaging {
    /// Makes a keystore that no capability guards.
    public func createKeystore(controller: String, protection: Protection) async throws -> KeystoreMetadata {
        try await createKeystore(controller: controller, protection: protection, lock: nil, vault: nil, caller: .nobody)
        { _ in nil }
    }

    /// A service without locks of shares has nothing to forget.
    public func forgetShares(of user: String) async -> Int { 0 }
}
