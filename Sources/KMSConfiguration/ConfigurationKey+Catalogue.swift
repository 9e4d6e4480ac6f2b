extension ConfigurationKey {
    /// Every setting there is. The names in the second half are those of TrustBloc's server, so that its deployments
    /// start here or learn why not.
    static let catalogue: [ConfigurationKey] =
        ours + compatible + locks + authorization + outbound + splitKeys + audit + decryption

    // exact: names of settings, which the catalogue writes in ASCII.
    package static let byName: [String: ConfigurationKey] = Dictionary(
        uniqueKeysWithValues: catalogue.map { ($0.name, $0) })

    private static let ours: [ConfigurationKey] = [
        ConfigurationKey(
            name: "home", environment: "KMSD_HOME", kind: .text, standard: ".kmsd",
            summary: "Directory of the manifest and the database, mode 0700.", isAllowedInFile: false),
        ConfigurationKey(
            name: "config", environment: "KMS_CONFIG", kind: .text,
            summary: "Configuration file; default kmsd.yaml in the home directory, if it is there.",
            isAllowedInFile: false),
        ConfigurationKey(
            name: "credentials-directory", environment: "KMS_CREDENTIALS_DIRECTORY", kind: .path,
            standard: "$CREDENTIALS_DIRECTORY",
            summary: "Directory in which credential:NAME is looked up, such as a mounted secret.",
            isAllowedInFile: false),
        ConfigurationKey(
            name: "credentials-world-readable", environment: "KMS_CREDENTIALS_WORLD_READABLE", kind: .boolean,
            standard: "false",
            summary: "true: credentials that every user of the container can read are taken, as Docker's secrets are."),
        ConfigurationKey(
            name: "token-uri", environment: "KMS_TOKEN_URI", kind: .text,
            summary: "The token: RFC 7512 URI with module-path and pin-source, or 'tpm:/dev/tpmrm0?pin-source=…'."),
        ConfigurationKey(
            name: "token-module-init-file", environment: "KMS_TOKEN_MODULE_INIT_FILE", kind: .text,
            summary: "What the module wants to be told at its start, such as NSS: absolute path (mode 0600) or "
                + "credential:NAME."),
        ConfigurationKey(
            name: "token-sessions", environment: "KMS_TOKEN_SESSIONS", kind: .number(1...64),
            standard: "one per core, 2 to 8", summary: "Sessions used in parallel on the token."),
        ConfigurationKey(
            name: "token-queue", environment: "KMS_TOKEN_QUEUE", kind: .number(1...100_000), standard: "1024",
            summary: "Requests that may wait for the token; one more is answered 503."),
        ConfigurationKey(
            name: "token-timeout", environment: "KMS_TOKEN_TIMEOUT", kind: .duration, standard: "10s",
            summary: "Longest time one token operation may take."),
        ConfigurationKey(
            name: "lock-ttl", environment: "KMS_LOCK_TTL", kind: .duration, standard: "10m",
            summary: "How long an opened lock key stays in locked memory; 0s asks the token for every request."),
        ConfigurationKey(
            name: "key-cache-size", environment: "KMS_KEY_CACHE_SIZE", kind: .number(0...1_000_000),
            standard: "20000", summary: "Opened keys kept in locked memory."),
        ConfigurationKey(
            name: "max-body", environment: "KMS_MAX_BODY", kind: .byteCount(1024...(64 << 20)), standard: "1MiB",
            summary: "Largest request body."),
        ConfigurationKey(
            name: "destroy-grace", environment: "KMS_DESTROY_GRACE", kind: .duration, standard: "24h",
            summary: "Time between a key's DELETE and its destruction, unless the request says."),
        ConfigurationKey(
            name: "legacy-g1-routes", environment: "KMS_LEGACY_G1_ROUTES", kind: .boolean, standard: "false",
            summary: "Serve the routes of the API's first generation (/kms/keystores) too."),
        ConfigurationKey(
            name: "raw-secp256k1-signatures", environment: "KMS_RAW_SECP256K1_SIGNATURES", kind: .boolean,
            standard: "false", summary: "Leave the 5-byte key prefix off secp256k1 signatures."),
        ConfigurationKey(
            name: "max-connections", environment: "KMS_MAX_CONNECTIONS", kind: .number(1...100_000),
            standard: "4096", summary: "Connections served at once; a new one takes the place of one that is idle."),
        ConfigurationKey(
            name: "makes-per-minute", environment: "KMS_MAKES_PER_MINUTE", kind: .number(0...1_000_000),
            standard: "600",
            summary: "Keystores and DID keys that an address may make without a token; a token, ten times as many."),
        ConfigurationKey(
            name: "keystores-per-caller", environment: "KMS_KEYSTORES_PER_CALLER", kind: .number(0...100_000_000),
            standard: "100000",
            summary:
                "Keystores that an address may ever make without a token; a token, ten times as many; 0 for no bound."
        ),
        ConfigurationKey(
            name: "most-keystores", environment: "KMS_MOST_KEYSTORES", kind: .number(0...1_000_000_000),
            standard: "10000000", summary: "Keystores of all callers together, retired ones too; 0 for no bound."),
        ConfigurationKey(
            name: "did-key-grace", environment: "KMS_DID_KEY_GRACE", kind: .duration, standard: "24h",
            summary: "A DID key that no keystore's vault names is removed after this; 0s removes none."),
        ConfigurationKey(
            name: "request-timeout", environment: "KMS_REQUEST_TIMEOUT", kind: .duration, standard: "30s",
            summary: "Longest time to receive a request, and longest idle time of a connection."),
        ConfigurationKey(
            name: "shutdown-timeout", environment: "KMS_SHUTDOWN_TIMEOUT", kind: .duration, standard: "5s",
            summary: "Longest time from SIGTERM to the end, 1s to 10m."),
    ]

    private static let noDomain = "no DID is resolved over the network"
    private static let noAuthorization =
        "the authorization schemes are ZCAP and GNAP, and going on without the one asked for would be unsafe"

    private static let compatible: [ConfigurationKey] = [
        ConfigurationKey(
            name: "host", environment: "KMS_HOST", kind: .text, standard: "127.0.0.1:8074",
            summary: "HOST:PORT to listen on; beyond loopback only with HTTPS, auth-type and admin-guard."),
        ConfigurationKey(
            name: "base-url", environment: "KMS_BASE_URL", kind: .text, standard: "",
            summary: "Put in front of the URLs in answers."),
        ConfigurationKey(
            name: "tls-serve-cert", environment: "KMS_TLS_SERVE_CERT", kind: .file,
            summary: "PEM certificates, the server's first; with tls-serve-key, HTTPS is served."),
        ConfigurationKey(
            name: "tls-serve-key", environment: "KMS_TLS_SERVE_KEY", kind: .file,
            summary: "PEM private key (PKCS#8, or EC or RSA PRIVATE KEY; not encrypted) of the certificate; mode 0600."),
        ConfigurationKey(
            name: "database-type", environment: "KMS_DATABASE_TYPE", kind: .text, standard: "sqlite",
            summary: "sqlite.",
            effect: .refused(unless: ["sqlite"], reason: "the only database is sqlite")),
        ConfigurationKey(
            name: "database-url", environment: "KMS_DATABASE_URL", kind: .path,
            standard: "kmsd.sqlite in the home directory", summary: "Database file."),
        ConfigurationKey(
            name: "database-prefix", environment: "KMS_DATABASE_PREFIX", kind: .text, standard: "",
            summary: "Not supported.",
            effect: .refused(unless: [""], reason: "a SQLite file is not shared, so it needs no prefix")),
        ConfigurationKey(
            name: "database-timeout", environment: "KMS_DATABASE_TIMEOUT", kind: .text, standard: "30s",
            summary: "Without effect.", effect: .ineffective(reason: "there is no database server to wait for")),
        ConfigurationKey(
            name: "did-domain", environment: "KMS_DID_DOMAIN", kind: .text, standard: "",
            summary: "Without effect.", effect: .ineffective(reason: noDomain)),
        ConfigurationKey(
            name: "enable-cache", environment: "KMS_CACHE_ENABLE", kind: .boolean, standard: "true",
            summary: "false is the same as 'lock-ttl: 0s' and 'shamir-secret-cache-ttl: 0s'."),
        ConfigurationKey(
            name: "key-store-cache-ttl", environment: "KMS_KEY_STORE_CACHE_TTL", kind: .duration,
            summary: "Upper bound of lock-ttl, where that is not given."),
        ConfigurationKey(
            name: "kms-cache-ttl", environment: "KMS_KMS_CACHE_TTL", kind: .duration,
            summary: "Upper bound of lock-ttl, where that is not given."),
        ConfigurationKey(
            name: "auth-type", environment: "KMS_AUTH_TYPE", kind: .text, standard: "",
            summary:
                "ZCAP or GNAP: keystores are guarded by capabilities or tokens; empty: requests are not authorised.",
            effect: .refused(unless: ["", "ZCAP", "GNAP"], reason: noAuthorization)),
        ConfigurationKey(
            name: "zcap-strict", environment: "KMS_ZCAP_STRICT", kind: .boolean, standard: "false",
            summary: "With ZCAP: signatures must cover the whole request, be fresh, and are accepted once."),
        ConfigurationKey(
            name: "enable-zcap", environment: "KMS_ZCAP_ENABLE", kind: .boolean, standard: "false",
            summary: "true is the same as 'auth-type: ZCAP'."),
        ConfigurationKey(
            name: "disable-HTTPSIG", environment: "KMS_GNAP_HTTPSIG_DISABLE", kind: .boolean, standard: "false",
            summary: "With GNAP: true accepts tokens without a signature of their key."),
        ConfigurationKey(
            name: "gnap-signing-key", environment: "KMS_GNAP_SIGNING_KEY", kind: .text, standard: "",
            summary:
                "With GNAP: PEM file (P-256 as PRIVATE KEY or EC PRIVATE KEY, mode 0600) that signs calls to its server."
        ),
        ConfigurationKey(
            name: "enable-cors", environment: "KMS_CORS_ENABLE", kind: .boolean, standard: "false",
            summary: "Lets web pages of every origin call the keystore API; needs auth-type."),
        ConfigurationKey(
            name: "metrics-host", environment: "KMS_METRICS_HOST", kind: .text, standard: "",
            summary: "HOST:PORT of GET /metrics, plain HTTP; empty serves none."),
        ConfigurationKey(
            name: "log-level", environment: "KMS_LOG_LEVEL",
            kind: .choice(["critical", "error", "warning", "info", "debug"]), standard: "info",
            summary: "Least severe message that is logged."),
    ]
}
