extension ConfigurationKey {
    /// Who may do what, besides `auth-type`.
    static let authorization: [ConfigurationKey] = [
        ConfigurationKey(
            name: "admin-guard", environment: "KMS_ADMIN_GUARD", kind: .choice(["jwt", "mtls"]),
            summary: "Guards making keystores and this server's own routes: jwt or mtls; without it they are open, "
                + "or closed where auth-type guards the keystores."),
        ConfigurationKey(
            name: "gnap-introspection-ttl", environment: "KMS_GNAP_INTROSPECTION_TTL", kind: .duration, standard: "0s",
            summary: "With GNAP: how long an active token is not asked about again."),
        ConfigurationKey(
            name: "tls-client-cacerts", environment: "KMS_TLS_CLIENT_CACERTS", kind: .text,
            summary:
                "PEM files, separated by commas: authorities of the client certificates that admin-guard mtls takes."),
        ConfigurationKey(
            name: "jwt-secret-file", environment: "KMS_JWT_SECRET_FILE", kind: .text,
            summary: "Secret of HS256 tokens, 16 bytes or more: absolute path (mode 0600) or credential:NAME."),
        ConfigurationKey(
            name: "jwt-secret", environment: "KMS_JWT_SECRET", kind: .text,
            summary: "The same secret as a text, with 'dev: true' only.", isAllowedInFile: false),
        ConfigurationKey(
            name: "jwt-jwks-url", environment: "KMS_JWT_JWKS_URL", kind: .text,
            summary: "Key set of RS256, ES256 and EdDSA tokens."),
        ConfigurationKey(
            name: "jwt-jwks-refresh", environment: "KMS_JWT_JWKS_REFRESH", kind: .duration, standard: "5m",
            summary: "How long a fetched key set is used; a removed key stops working after it."),
        ConfigurationKey(
            name: "jwt-jwks-stale", environment: "KMS_JWT_JWKS_STALE", kind: .duration, standard: "1h",
            summary: "How long a key set is used while it cannot be fetched again."),
        ConfigurationKey(
            name: "jwt-algorithms", environment: "KMS_JWT_ALGORITHMS", kind: .text,
            standard: "those the secret and the key set allow",
            summary: "Accepted algorithms, separated by commas: HS256, RS256, ES256, EdDSA."),
        ConfigurationKey(
            name: "jwt-issuer", environment: "KMS_JWT_ISSUER", kind: .text,
            summary: "The only accepted iss."),
        ConfigurationKey(
            name: "jwt-audience", environment: "KMS_JWT_AUDIENCE", kind: .text,
            summary: "What aud must contain; without it, tokens with aud are refused."),
        ConfigurationKey(
            name: "dev", environment: "KMS_DEV", kind: .boolean, standard: "false",
            summary: "For trying out: secrets may be given as texts."),
    ]
}
