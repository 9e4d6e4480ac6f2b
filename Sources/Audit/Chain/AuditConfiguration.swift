/// How a chain is kept.
public struct AuditConfiguration: Sendable {
    /// The SQLite file; its directory must exist.
    public var path: String
    /// The daemon's instance id, in hex; empty without a token.
    public var instance: String
    /// Serial number of the token; empty without one.
    public var token: String
    /// SHA-256 of the audit key's SubjectPublicKeyInfo in hex, as the manifest pins it; empty without a token, and then
    /// a new chain is never signed.
    public var keyFingerprint: String
    /// Whether a token is there to ask what it remembers; then nothing is allowed before that, signed or not.
    public var isCompared: Bool
    /// Whether an operator said to go on while the token is away: then the chain is trusted as far as the files go, the record
    /// of this start says so, and the token compares and signs when it is back.
    public var isWithoutToken = false
    /// Whose older copies the chain notices; nil for a verb that does not open it.
    public var store: WatchedStore?
    /// Most records that may wait to be written. A busy disk may take seconds for a flush, and thousands of key uses are
    /// handed over meanwhile; one without details takes at most 2 KiB.
    public var queueLimit = 32_768
    /// Longest time a record may wait.
    public var timeout: Duration = .seconds(5)

    public init(
        path: String, instance: String = "", token: String = "", keyFingerprint: String = "",
        isCompared: Bool = false, store: WatchedStore? = nil
    ) {
        self.path = path
        self.instance = instance
        self.token = token
        self.keyFingerprint = keyFingerprint
        self.isCompared = isCompared
        self.store = store
    }
}
