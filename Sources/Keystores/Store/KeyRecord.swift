/// A key's row with its versions. Nothing in it is trusted before its authenticator is checked under the lock key.
public struct KeyRecord: Sendable, Hashable {
    /// One version's row.
    public struct Version: Sendable, Hashable {
        /// From 1; the highest is the primary.
        public var version: UInt64
        /// Milliseconds since 1970.
        public var createdAt: Int64
        /// An envelope; empty in listings.
        public var sealed: [UInt8]
    }

    public var keystore: String
    public var id: String
    /// A key type's name.
    public var type: String
    /// A ``KeyState``'s name.
    public var state: String
    /// A ``Protection``'s name.
    public var protection: String
    /// A ``Provenance``'s name.
    public var provenance: String
    /// Milliseconds since 1970.
    public var createdAt: Int64
    /// Milliseconds since 1970, if pending destruction or destroyed.
    public var destroyAt: Int64?
    /// Export form of the primary version.
    public var publicKey: [UInt8]?
    /// Ascending.
    public var versions: [Version]
    /// 32 bytes.
    public var authenticator: [UInt8]
}
