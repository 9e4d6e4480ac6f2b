import ArgumentParser

/// Flags of TrustBloc's server that are accepted at harmless values and refused with the reason otherwise.
struct CompatibilityOptions: ParsableArguments {
    @Option(name: .customLong("database-type"), help: .setting("database-type")) var databaseType: String?
    @Option(name: .customLong("database-prefix"), help: .setting("database-prefix")) var databasePrefix: String?
    @Option(name: .customLong("database-timeout"), help: .setting("database-timeout")) var databaseTimeout: String?
    @Option(name: .customLong("secret-lock-aws-key-uri"), help: .setting("secret-lock-aws-key-uri"))
    var secretLockAWSKeyURI: String?
    @Option(name: .customLong("secret-lock-aws-access-key"), help: .setting("secret-lock-aws-access-key"))
    var secretLockAWSAccessKey: String?
    @Option(name: .customLong("secret-lock-aws-secret-key"), help: .setting("secret-lock-aws-secret-key"))
    var secretLockAWSSecretKey: String?
    @Option(name: .customLong("secret-lock-aws-endpoint"), help: .setting("secret-lock-aws-endpoint"))
    var secretLockAWSEndpoint: String?
    @Option(name: .customLong("auth-server-url"), help: .setting("auth-server-url")) var authServerURL: String?
    @Option(name: .customLong("auth-server-token"), help: .setting("auth-server-token")) var authServerToken: String?
    @Option(name: .customLong("tls-cacerts"), help: .setting("tls-cacerts")) var tlsCacerts: String?
    @Option(name: .customLong("tls-systemcertpool"), help: .setting("tls-systemcertpool"))
    var tlsSystemcertpool: String?
    @Option(name: .customLong("did-domain"), help: .setting("did-domain")) var didDomain: String?
    @Option(name: .customLong("shamir-secret-cache-ttl"), help: .setting("shamir-secret-cache-ttl"))
    var shamirSecretCacheTTL: String?
    @Option(name: .customLong("auth-type"), help: .setting("auth-type")) var authType: String?
    @Option(name: .customLong("enable-zcap"), help: .setting("enable-zcap")) var enableZCAP: String?
    @Option(name: .customLong("zcap-strict"), help: .setting("zcap-strict")) var zcapStrict: String?
    @Option(name: .customLong("disable-HTTPSIG"), help: .setting("disable-HTTPSIG")) var disableHTTPSIG: String?
    @Option(name: .customLong("gnap-signing-key"), help: .setting("gnap-signing-key")) var gnapSigningKey: String?
    @Option(name: .customLong("enable-cors"), help: .setting("enable-cors")) var enableCORS: String?
    @Option(name: .customLong("metrics-host"), help: .setting("metrics-host")) var metricsHost: String?

    /// By setting name.
    var flags: [String: String] {  // exact: names of settings and members, this program's own.
        let all: [String: String?] = [  // exact: names of settings and members, this program's own.
            "database-type": databaseType,
            "database-prefix": databasePrefix,
            "database-timeout": databaseTimeout,
            "secret-lock-aws-key-uri": secretLockAWSKeyURI,
            "secret-lock-aws-access-key": secretLockAWSAccessKey,
            "secret-lock-aws-secret-key": secretLockAWSSecretKey,
            "secret-lock-aws-endpoint": secretLockAWSEndpoint,
            "auth-server-url": authServerURL,
            "auth-server-token": authServerToken,
            "tls-cacerts": tlsCacerts,
            "tls-systemcertpool": tlsSystemcertpool,
            "did-domain": didDomain,
            "shamir-secret-cache-ttl": shamirSecretCacheTTL,
            "auth-type": authType,
            "enable-zcap": enableZCAP,
            "zcap-strict": zcapStrict,
            "disable-HTTPSIG": disableHTTPSIG,
            "gnap-signing-key": gnapSigningKey,
            "enable-cors": enableCORS,
            "metrics-host": metricsHost,
        ]
        return all.compactMapValues { $0 }
    }
}
