import ArgumentParser

/// Who may do what. Settings whose names are TrustBloc's are among ``CompatibilityOptions``.
struct AuthorizationOptions: ParsableArguments {
    @Option(name: .customLong("admin-guard"), help: .setting("admin-guard")) var adminGuard: String?
    @Option(name: .customLong("tls-client-cacerts"), help: .setting("tls-client-cacerts"))
    var tlsClientCACerts: String?
    @Option(name: .customLong("gnap-introspection-ttl"), help: .setting("gnap-introspection-ttl"))
    var gnapIntrospectionTTL: String?
    @Option(name: .customLong("cors-origins"), help: .setting("cors-origins")) var corsOrigins: String?
    @Option(name: .customLong("upstream-status-codes"), help: .setting("upstream-status-codes"))
    var upstreamStatusCodes: String?
    @OptionGroup var tokens: BearerTokenOptions

    /// By setting name.
    var flags: [String: String] {  // exact: names of settings and members, this program's own.
        let all: [String: String?] = [  // exact: names of settings and members, this program's own.
            "admin-guard": adminGuard,
            "tls-client-cacerts": tlsClientCACerts,
            "gnap-introspection-ttl": gnapIntrospectionTTL,
            "cors-origins": corsOrigins,
            "upstream-status-codes": upstreamStatusCodes,
        ]
        return all.compactMapValues { $0 }.merging(tokens.flags) { first, _ in first }
    }
}

/// Which bearer tokens are accepted.
struct BearerTokenOptions: ParsableArguments {
    @Option(name: .customLong("jwt-secret-file"), help: .setting("jwt-secret-file")) var secretFile: String?
    @Option(name: .customLong("jwt-secret"), help: .setting("jwt-secret")) var secret: String?
    @Option(name: .customLong("jwt-jwks-url"), help: .setting("jwt-jwks-url")) var keySetURL: String?
    @Option(name: .customLong("jwt-jwks-refresh"), help: .setting("jwt-jwks-refresh")) var keySetRefresh: String?
    @Option(name: .customLong("jwt-jwks-stale"), help: .setting("jwt-jwks-stale")) var keySetStale: String?
    @Option(name: .customLong("jwt-algorithms"), help: .setting("jwt-algorithms")) var algorithms: String?
    @Option(name: .customLong("jwt-issuer"), help: .setting("jwt-issuer")) var issuer: String?
    @Option(name: .customLong("jwt-audience"), help: .setting("jwt-audience")) var audience: String?
    @Option(name: .customLong("dev"), help: .setting("dev")) var dev: String?

    /// By setting name.
    var flags: [String: String] {  // exact: names of settings and members, this program's own.
        let all: [String: String?] = [  // exact: names of settings and members, this program's own.
            "jwt-secret-file": secretFile,
            "jwt-secret": secret,
            "jwt-jwks-url": keySetURL,
            "jwt-jwks-refresh": keySetRefresh,
            "jwt-jwks-stale": keySetStale,
            "jwt-algorithms": algorithms,
            "jwt-issuer": issuer,
            "jwt-audience": audience,
            "dev": dev,
        ]
        return all.compactMapValues { $0 }
    }
}
