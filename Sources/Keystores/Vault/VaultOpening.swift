public import WorkingKeys

/// Opens the vaults that keystores name. The domain knows no protocol of a vault.
///
/// - Concurrency: any number of calls at once.
public protocol VaultOpening: Sendable {
    /// Checks the form of a location, without a call.
    ///
    /// - Returns: The did:key URL of the key that must sign calls.
    /// - Throws: ``KMSError`` with `.invalidArgument`.
    func invoker(of location: VaultLocation) throws -> String

    /// Checks the form of a vault's URL, without a call.
    ///
    /// - Throws: ``KMSError`` with `.invalidArgument`.
    func check(url: String) throws

    /// Makes a vault usable, without a call.
    ///
    /// - Parameters:
    ///   - keys: The keystore's keys for this vault.
    ///   - signingKey: Gives the invoker's key when a call is to be signed.
    /// - Throws: ``KMSError``.
    func open(
        _ location: VaultLocation, keys: VaultKeys, signingKey: @escaping @Sendable () async throws -> WorkingKey
    ) throws -> any KeyVault
}

/// Where a vault is and what allows the daemon to use it, as the keystore's creator said.
public struct VaultLocation: Sendable, Hashable {
    public var url: String
    /// JSON of the capability that was delegated to one of the daemon's keys; empty while it is awaited.
    public var capability: [UInt8]
    /// The daemon's key to which an awaited capability will be delegated; nil if the capability is here and says so.
    public var awaitingInvoker: String?

    public init(url: String, capability: [UInt8]) {
        self.url = url
        self.capability = capability
    }

    /// A vault whose capability comes later: until then the keystore makes and uses no keys.
    ///
    /// - Parameter invoker: The did:key URL of one of the daemon's keys.
    public init(url: String, awaitingCapabilityFor invoker: String) {
        self.url = url
        capability = []
        awaitingInvoker = invoker
    }
}

/// A keystore's keys for its vault, made with the keystore and sealed under its lock key.
public struct VaultKeys: Sendable {
    /// Of type NISTP256ECDHKW: for whom documents are encrypted.
    public let recipient: WorkingKey
    /// Of type HMACSHA256Tag256: names documents.
    public let mac: WorkingKey

    public init(recipient: WorkingKey, mac: WorkingKey) {
        self.recipient = recipient
        self.mac = mac
    }
}
