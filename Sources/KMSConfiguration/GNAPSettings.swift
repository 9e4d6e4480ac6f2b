import Encodings

/// How GNAP tokens are checked.
public struct GNAPSettings: Sendable, Hashable {
    /// Base URL of the authorization server, without a slash at its end.
    public var server: String
    /// PEM file with the P-256 key that signs calls to it.
    public var signingKey: String
    /// Whether requests must be signed with the token's key.
    public var checksSignatures: Bool
    /// How long an active token is not asked about again.
    public var cacheTTL: Duration

    /// Nil unless `auth-type` is GNAP.
    init?(_ values: ConfigurationValues, baseURL: String) throws(ConfigurationError) {
        guard values.text("auth-type") == "GNAP" else {
            guard values.text("gnap-signing-key") ?? "" == "", values.boolean("disable-HTTPSIG") != true else {
                throw ConfigurationError("gnap-signing-key and disable-HTTPSIG are for 'auth-type: GNAP'")
            }
            return nil
        }
        guard values.boolean("enable-zcap") != true else {
            throw ConfigurationError(
                "'auth-type: GNAP' and enable-zcap are both given; one scheme guards the keystores")
        }
        guard let url = values.text("auth-server-url"), !url.isEmpty else {
            throw ConfigurationError("'auth-type: GNAP' needs auth-server-url, such as https://auth.example")
        }
        let server = try Configuration.explained(values, "auth-server-url") { _ throws(ConfigurationError) in
            try URLSetting.read(url, .base)
        }
        guard let key = values.text("gnap-signing-key"),
            key.startsExactly(with: "/") || key.startsExactly(with: "credential:")
        else {
            throw ConfigurationError(
                "'auth-type: GNAP' needs gnap-signing-key: the absolute path of a PEM file (mode 0600), or credential:NAME"
            )
        }
        checksSignatures = values.boolean("disable-HTTPSIG") != true
        guard !checksSignatures || !baseURL.isEmpty else {
            throw ConfigurationError(
                "'auth-type: GNAP' needs base-url, such as https://kms.example: clients sign it with the path")
        }
        self.server = server
        signingKey = key
        cacheTTL = values.duration("gnap-introspection-ttl") ?? .zero
        guard cacheTTL <= .seconds(300) else {
            throw ConfigurationError("\(values.origin("gnap-introspection-ttl")): the longest time is 5m")
        }
    }
}
