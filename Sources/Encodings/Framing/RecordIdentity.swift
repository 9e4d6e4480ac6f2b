/// Which record a sealed secret belongs to. It is authenticated with the secret and never stored beside it, so a secret
/// moved to another row, keystore or tenant does not open.
public struct RecordIdentity: Sendable, Hashable {
    /// Longest associated data in bytes; tokens take no longer context.
    public static let longestAssociatedData = 4096

    /// The keystore's controller.
    public var tenant: String
    public var keystore: String
    /// Empty for secrets of the keystore itself.
    public var key: String
    /// A key type's name, or what kind of secret it is.
    public var type: String
    public var version: UInt64

    public init(tenant: String, keystore: String, key: String, type: String, version: UInt64) {
        self.tenant = tenant
        self.keystore = keystore
        self.key = key
        self.type = type
        self.version = version
    }

    /// Canonical bytes: the label, then tenant, keystore, key, type and version, each preceded by its length.
    ///
    /// Text is compared as UTF-8, so two spellings of one Unicode string are two identities.
    public var associatedData: [UInt8] {
        var fields = RecordFields(.recordIdentity)
        fields.append(tenant)
        fields.append(keystore)
        fields.append(key)
        fields.append(type)
        fields.append(version)
        return fields.bytes
    }
}
