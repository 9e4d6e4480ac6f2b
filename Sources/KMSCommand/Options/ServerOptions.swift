import ArgumentParser

/// What changes how the daemon serves.
struct ServerOptions: ParsableArguments {
    @Option(name: .customLong("host"), help: .setting("host")) var host: String?
    @Option(name: .customLong("base-url"), help: .setting("base-url")) var baseURL: String?
    @Option(name: .customLong("tls-serve-cert"), help: .setting("tls-serve-cert")) var tlsServeCert: String?
    @Option(name: .customLong("tls-serve-key"), help: .setting("tls-serve-key")) var tlsServeKey: String?
    @Option(name: .customLong("secret-lock-type"), help: .setting("secret-lock-type")) var secretLockType: String?
    @Option(name: .customLong("secret-lock-key-path"), help: .setting("secret-lock-key-path"))
    var secretLockKeyPath: String?
    @Option(name: .customLong("enable-cache"), help: .setting("enable-cache")) var enableCache: String?
    @Option(name: .customLong("key-store-cache-ttl"), help: .setting("key-store-cache-ttl"))
    var keyStoreCacheTTL: String?
    @Option(name: .customLong("kms-cache-ttl"), help: .setting("kms-cache-ttl")) var kmsCacheTTL: String?
    @Option(name: .customLong("token-sessions"), help: .setting("token-sessions")) var tokenSessions: String?
    @Option(name: .customLong("token-queue"), help: .setting("token-queue")) var tokenQueue: String?
    @Option(name: .customLong("token-timeout"), help: .setting("token-timeout")) var tokenTimeout: String?
    @Option(name: .customLong("lock-ttl"), help: .setting("lock-ttl")) var lockTTL: String?
    @Option(name: .customLong("key-cache-size"), help: .setting("key-cache-size")) var keyCacheSize: String?
    @Option(name: .customLong("max-body"), help: .setting("max-body")) var maxBody: String?
    @Option(name: .customLong("destroy-grace"), help: .setting("destroy-grace")) var destroyGrace: String?
    @Option(name: .customLong("legacy-g1-routes"), help: .setting("legacy-g1-routes")) var legacyG1Routes: String?
    @Option(name: .customLong("raw-secp256k1-signatures"), help: .setting("raw-secp256k1-signatures"))
    var rawSecp256k1Signatures: String?
    @Option(name: .customLong("max-connections"), help: .setting("max-connections")) var maxConnections: String?
    @Option(name: .customLong("makes-per-minute"), help: .setting("makes-per-minute")) var makesPerMinute: String?
    @Option(name: .customLong("keystores-per-caller"), help: .setting("keystores-per-caller"))
    var keystoresPerCaller: String?
    @Option(name: .customLong("most-keystores"), help: .setting("most-keystores")) var mostKeystores: String?
    @Option(name: .customLong("did-key-grace"), help: .setting("did-key-grace")) var didKeyGrace: String?
    @Option(name: .customLong("request-timeout"), help: .setting("request-timeout")) var requestTimeout: String?
    @Option(name: .customLong("shutdown-timeout"), help: .setting("shutdown-timeout")) var shutdownTimeout: String?

    /// By setting name.
    var flags: [String: String] {  // exact: names of settings and members, this program's own.
        let all: [String: String?] = [  // exact: names of settings and members, this program's own.
            "host": host,
            "base-url": baseURL,
            "tls-serve-cert": tlsServeCert,
            "tls-serve-key": tlsServeKey,
            "secret-lock-type": secretLockType,
            "secret-lock-key-path": secretLockKeyPath,
            "enable-cache": enableCache,
            "key-store-cache-ttl": keyStoreCacheTTL,
            "kms-cache-ttl": kmsCacheTTL,
            "token-sessions": tokenSessions,
            "token-queue": tokenQueue,
            "token-timeout": tokenTimeout,
            "lock-ttl": lockTTL,
            "key-cache-size": keyCacheSize,
            "max-body": maxBody,
            "destroy-grace": destroyGrace,
            "legacy-g1-routes": legacyG1Routes,
            "raw-secp256k1-signatures": rawSecp256k1Signatures,
            "max-connections": maxConnections,
            "makes-per-minute": makesPerMinute,
            "keystores-per-caller": keystoresPerCaller, "most-keystores": mostKeystores,
            "did-key-grace": didKeyGrace,
            "request-timeout": requestTimeout,
            "shutdown-timeout": shutdownTimeout,
        ]
        return all.compactMapValues { $0 }
    }
}
