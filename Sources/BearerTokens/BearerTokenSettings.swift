public import SecretMemory

/// Which tokens are accepted. Everything comes from the operator; nothing in a token widens it.
public struct BearerTokenSettings: Sendable {
    /// Key of HS256; nil if no shared secret is used.
    public var secret: SharedSecret?
    /// Where the public keys are; nil if none are used.
    public var keySet: KeySetSettings?
    /// Accepted algorithms. HS256 needs ``secret``, the others need ``keySet``.
    public var algorithms: Set<BearerAlgorithm>
    /// The only accepted `iss`; nil accepts any.
    public var issuer: String?
    /// A value that `aud` must contain. Nil refuses tokens with `aud`: they are meant for somebody else (RFC 7519
    /// §4.1.3).
    public var audience: String?
    /// How far clocks may differ, in seconds.
    public var skew: Int64 = 60

    public init(
        secret: SharedSecret? = nil, keySet: KeySetSettings? = nil, algorithms: Set<BearerAlgorithm>? = nil,
        issuer: String? = nil, audience: String? = nil
    ) {
        self.secret = secret
        self.keySet = keySet
        self.algorithms =
            algorithms
            ?? Set(BearerAlgorithm.allCases.filter { $0.isAsymmetric ? keySet != nil : secret != nil })
        self.issuer = issuer
        self.audience = audience
    }
}

/// A JSON Web Key Set (RFC 7517) on another server.
public struct KeySetSettings: Sendable, Hashable {
    public var url: String
    /// How long a fetched set is used before it is fetched again: a removed key stops working after this time.
    public var refresh: Duration
    /// How long a set is used while it cannot be fetched again; afterwards tokens are refused.
    public var staleLimit: Duration

    public init(url: String, refresh: Duration = .seconds(300), staleLimit: Duration = .seconds(3600)) {
        self.url = url
        self.refresh = refresh
        self.staleLimit = max(refresh, staleLimit)
    }
}
