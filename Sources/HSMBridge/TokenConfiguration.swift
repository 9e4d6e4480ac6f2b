import Glibc
public import Token

/// How to reach one token and what to expect there.
public struct TokenConfiguration: Sendable {
    /// Names the token (RFC 7512); must carry the module path.
    public var uri: TokenURI
    public var pinSource: PINSource
    /// Holds the string that the module wants at C_Initialize; most want none.
    public var moduleInitialisation: PINSource?
    /// Attributes of the daemon's keys that provisioning may go without on a token that refuses them.
    public var dispensed: Set<DispensableAttribute> = []
    /// How provisioning lets keys seal; nil for the best that the token has.
    public var rootLock: RootLockMechanism?
    /// Threads with a session each, for cryptographic operations.
    public var cryptoSessions: Int
    /// Requests that may wait; one more is refused with `.overloaded`.
    public var queueLimit: Int
    /// From a request's arrival to its answer; then it fails with `.deadlineExceeded`.
    public var callTimeout: Duration
    /// What provisioning recorded; nil only to provision or to inspect a token.
    public var manifest: TokenManifest?
    /// Token-resident keys that stay unwrapped in the token at a time.
    public var residentHandleLimit: Int
    /// How often an idle token is checked.
    public var healthInterval: Duration
    /// The longest pause between two attempts to reach a lost token. An attempt on a soft token costs a few
    /// milliseconds, and requests are served within this time after its return; raise it for a device far away.
    public var reconnectCeiling: Duration

    public init(
        uri: TokenURI, pinSource: PINSource, moduleInitialisation: PINSource? = nil,
        cryptoSessions: Int = TokenConfiguration.defaultSessions,
        queueLimit: Int = 1024, callTimeout: Duration = .seconds(10), manifest: TokenManifest? = nil,
        residentHandleLimit: Int = 1024, healthInterval: Duration = .seconds(1),
        reconnectCeiling: Duration = .milliseconds(500)
    ) {
        self.uri = uri
        self.pinSource = pinSource
        self.moduleInitialisation = moduleInitialisation
        self.cryptoSessions = max(1, cryptoSessions)
        self.queueLimit = max(1, queueLimit)
        self.callTimeout = callTimeout
        self.manifest = manifest
        self.residentHandleLimit = max(1, residentHandleLimit)
        self.healthInterval = healthInterval
        self.reconnectCeiling = reconnectCeiling
    }

    /// One per core, at least 2 and at most 8: a soft token locks inside, so more sessions only lengthen the tail.
    public static var defaultSessions: Int { min(8, max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}
