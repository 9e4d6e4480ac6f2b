import Encodings
import Token

/// A keystore's row. Nothing in it is trusted before its authenticator is checked under the lock key.
public struct KeystoreRecord: Sendable, Hashable {
    public var id: String
    public var controller: String
    /// A ``Protection``'s name.
    public var protection: String
    /// Encoded lock record; see `docs/FORMATS.md`.
    public var lockRecord: [UInt8]
    /// The root capability's document; nil for a keystore made without capabilities.
    public var capability: [UInt8]?
    /// Milliseconds since 1970.
    public var createdAt: Int64
    /// Encoded vault record, if the keys' sealed bytes are kept in a vault of the user's; see `docs/FORMATS.md`.
    public var vault: [UInt8]?
    /// 32 bytes.
    public var authenticator: [UInt8]

    /// Whose the keystore is, for queues and caches that tenants share: all of a controller's are one tenant's.
    var tokenTenant: TokenTenant { TokenTenant(ExactText(controller)) }
}
