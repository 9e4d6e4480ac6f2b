public import Foundation

/// A key's place in its life.
public enum KeyState: String, Codable, Sendable, CaseIterable {
    case enabled
    /// Refuses every use until enabled again.
    case disabled
    /// Refuses every use; will be destroyed at a stated time unless restored before.
    case pendingDestruction = "pending-destruction"
    /// Its sealed bytes are gone; the id stays taken.
    case destroyed
    /// Not a stored state: the stored record does not authenticate. Listings say so; every use is refused.
    case damaged
}

/// What may be told about a key.
public struct KeyMetadata: Codable, Sendable, Hashable {
    /// One version of the key; rotation adds one.
    public struct Version: Codable, Sendable, Hashable {
        /// From 1.
        public var version: UInt64
        public var createdAt: Date
        /// Whether this version signs, encrypts and computes MACs; older ones only verify and decrypt.
        public var primary: Bool

        public init(version: UInt64, createdAt: Date, primary: Bool) {
            self.version = version
            self.createdAt = createdAt
            self.primary = primary
        }
    }

    public var id: String
    /// A key type's name, such as `ED25519`.
    public var type: String
    public var state: KeyState
    public var protection: Protection
    public var provenance: Provenance
    public var createdAt: Date
    /// When a key pending destruction will be destroyed, or when a destroyed one was.
    public var destroyAt: Date?
    public var versions: [Version]
    /// The primary version's public key in its type's export form; nil for symmetric, destroyed and damaged keys.
    public var publicKey: Data?
    /// RFC 7638, of the primary version's public key; nil where ``publicKey`` is, and for a type without a registered JWK.
    public var jwkThumbprint: String?

    public init(
        id: String, type: String, state: KeyState, protection: Protection, provenance: Provenance, createdAt: Date,
        destroyAt: Date?, versions: [Version], publicKey: Data?, jwkThumbprint: String? = nil
    ) {
        self.id = id
        self.type = type
        self.state = state
        self.protection = protection
        self.provenance = provenance
        self.createdAt = createdAt
        self.destroyAt = destroyAt
        self.versions = versions
        self.publicKey = publicKey
        self.jwkThumbprint = jwkThumbprint
    }
}

/// A newly made key.
public struct CreatedKey: Sendable, Hashable {
    public var id: String
    /// In the type's export form; nil for symmetric keys.
    public var publicKey: [UInt8]?

    public init(id: String, publicKey: [UInt8]?) {
        self.id = id
        self.publicKey = publicKey
    }
}
