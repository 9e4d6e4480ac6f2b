public import Token

/// How to reach one TPM and what to expect there.
public struct TPMConfiguration: Sendable {
    public var address: TPMAddress
    /// The secret that the keys' authorization values are derived from.
    public var pinSource: PINSource
    /// The owner hierarchy's authorization value as it is; nil if it is empty.
    public var ownerSource: PINSource?
    /// Requests that may wait; one more is refused with `.overloaded`.
    public var queueLimit: Int
    /// From a request's arrival to its answer; then it fails with `.deadlineExceeded`.
    public var callTimeout: Duration
    /// Keeps the approved states of keys that are bound to them; nil if there is no place for them.
    public var policies: (any TPMPolicyStore)?
    /// What provisioning recorded; nil only to provision or to inspect a TPM.
    public var manifest: TokenManifest?
    /// How often an idle TPM is checked. A discrete TPM takes some 100 ms for it.
    public var healthInterval: Duration
    /// The longest pause between two attempts to reach a lost TPM.
    public var reconnectCeiling: Duration

    public init(
        address: TPMAddress, pinSource: PINSource, ownerSource: PINSource? = nil, queueLimit: Int = 1024,
        callTimeout: Duration = .seconds(10), policies: (any TPMPolicyStore)? = nil, manifest: TokenManifest? = nil,
        healthInterval: Duration = .seconds(2),
        reconnectCeiling: Duration = .milliseconds(500)
    ) {
        self.address = address
        self.pinSource = pinSource
        self.ownerSource = ownerSource
        self.queueLimit = max(1, queueLimit)
        self.callTimeout = callTimeout
        self.policies = policies
        self.manifest = manifest
        self.healthInterval = healthInterval
        self.reconnectCeiling = reconnectCeiling
    }
}
