import Encodings
public import Keystores
public import Logging
public import TPMBridge
public import Token

/// Everything the daemon was told, typed and checked once. Holds no secret but one for trying out: PINs and keys
/// are named, not given.
public struct Configuration: Sendable {
    /// What seals the keystores' lock keys.
    public enum SecretLockKind: Sendable, Hashable {
        case token
        /// A file with 32 bytes; mode 0600.
        case localFile(path: String)
        case aws
        case passphrase
    }

    /// PEM files of the listener.
    public struct TLSFiles: Sendable, Hashable {
        public var certificate: String
        public var key: String
    }

    /// Absolute.
    public var home: String
    public var listen: ListenAddress
    /// Without a trailing slash; empty for URLs that begin with the path.
    public var baseURL: String
    public var tls: TLSFiles?
    /// Needs an absolute ``baseURL`` unless off.
    public var capabilities: CapabilityMode
    /// Nil unless GNAP tokens guard the keystores.
    public var gnap: GNAPSettings?
    public var outbound: OutboundSettings
    /// Where metrics are served; nil if they are not.
    public var metrics: ListenAddress?
    /// Whether pages of every origin may call the keystore API.
    public var allowsEveryOrigin: Bool
    /// Origins whose pages may call the split-key API.
    public var origins: [String]
    /// Whether failures have TrustBloc's statuses.
    public var hasUpstreamStatuses: Bool
    /// Accepted bearer tokens; nil if none are.
    public var tokens: TokenSettings?
    /// Nil: making keystores is open, and own routes are open or, where capabilities guard the keystores, closed.
    public var administration: ManagementKind?
    /// PEM files of the authorities of client certificates.
    public var clientAuthorities: [String]
    /// The PKCS #11 token; nil if none is configured.
    public var token: TokenURI?
    /// The TPM, instead of a PKCS #11 token.
    public var tpm: TPMAddress?
    /// Holds the string that the token's module is given at its start.
    public var moduleInitialisation: PINSource?
    public var tokenSessions: Int?
    public var tokenQueue: Int
    public var tokenTimeout: Duration
    public var secretLock: SecretLockKind
    /// Locks beside the token and the local file.
    public var locks: LockSettings
    /// Absolute.
    public var databasePath: String
    public var keystores: KeystoreConfiguration
    public var split: SplitSettings
    /// Nil unless the decryption API is on.
    public var decryption: DecryptionSettings?
    /// Whether the routes of the API's first generation (`/kms/…`) are there too.
    public var servesLegacyRoutes: Bool
    /// In bytes.
    public var maximumBody: Int
    public var auditedUse: AuditedUse
    /// In bytes; 0 for never.
    public var auditRotateSize: Int
    public var maximumConnections: Int
    /// Keystores and DID keys that an address may make without showing who it is; 0 for no bound.
    public var makersPerMinute: Int
    /// Keystores that an address may make in all; 0 for no bound.
    public var keystoresPerCaller: Int
    public var requestTimeout: Duration
    /// From the signal to end to the end.
    public var shutdownTimeout: Duration
    /// Whether credentials that everybody can read are taken.
    public var takesWorldReadableCredentials: Bool
    public var logLevel: Logger.Level
    /// Settings that were accepted and have no effect.
    public var notices: [String]
    /// The configuration file that was read.
    public var file: String?

    public var manifestPath: String { home + "/manifest.json" }

    /// Reads the file, lays the layers over each other and checks the result.
    ///
    /// - Parameters:
    ///   - flags: By setting name.
    ///   - environment: The process's variables.
    ///   - directory: Where relative paths start.
    /// - Throws: ``ConfigurationError``.
    // exact: names of settings, which the catalogue writes in ASCII.
    public init(flags: [String: String], environment: [String: String], directory: String) throws {
        func absolute(_ path: String) -> String {
            path.startsExactly(with: "/") || path.startsExactly(with: "credential:") ? path : directory + "/" + path
        }
        let home = absolute(flags["home"].nonEmpty ?? environment["KMSD_HOME"].nonEmpty ?? ".kmsd")
        let named = (flags["config"].nonEmpty ?? environment["KMS_CONFIG"].nonEmpty).map(absolute)
        let path = named ?? (FilePresence.exists(home + "/kmsd.yaml") ? home + "/kmsd.yaml" : nil)
        let file = try path.map { (name: $0, entries: try ConfigurationFile.read(path: $0)) }
        try self.init(
            values: ConfigurationValues(flags: flags, environment: environment, file: file), home: home, file: path)
    }

    init(values: ConfigurationValues, home: String, file: String?) throws(ConfigurationError) {
        self.home = home
        self.file = file
        notices = values.notices
        listen = try Self.explained(values, "host") { text throws(ConfigurationError) in
            try ListenAddress(parsing: text ?? "127.0.0.1:8074")
        }
        baseURL = try Self.explained(values, "base-url", Self.baseURL)
        tls = try Self.tls(values)
        capabilities = Self.capabilities(values)
        guard capabilities == .off || !baseURL.isEmpty else {
            throw ConfigurationError(
                "'auth-type: ZCAP' needs base-url, such as https://kms.example: it is part of every capability")
        }
        gnap = try GNAPSettings(values, baseURL: baseURL)
        outbound = try OutboundSettings(values)
        metrics = try Self.explained(values, "metrics-host") { text throws(ConfigurationError) in
            guard let text, !text.isEmpty else { return nil }
            return try ListenAddress(parsing: text)
        }
        allowsEveryOrigin = values.boolean("enable-cors") == true
        guard !allowsEveryOrigin || capabilities != .off || gnap != nil else {
            throw ConfigurationError(
                "\(values.origin("enable-cors")) needs auth-type: without it any web page could use every key")
        }
        origins = try Self.origins(values)
        hasUpstreamStatuses = values.boolean("upstream-status-codes") == true
        tokens = try TokenSettings(values)
        administration = try Self.administration(values, tokens: tokens, tls: tls)
        clientAuthorities = try Self.clientAuthorities(values)
        token = try Self.explained(values, "token-uri", Self.tokenURI)
        tpm = try Self.explained(values, "token-uri", Self.tpmAddress)
        moduleInitialisation = try Self.moduleInitialisation(values)
        tokenSessions = values.number("token-sessions")
        tokenQueue = values.number("token-queue") ?? 1024
        tokenTimeout = values.duration("token-timeout") ?? .seconds(10)
        secretLock = try Self.secretLock(values)
        locks = try LockSettings(values)
        databasePath = values.text("database-url") ?? home + "/kmsd.sqlite"
        servesLegacyRoutes = values.boolean("legacy-g1-routes") ?? false
        maximumBody = values.byteCount("max-body") ?? 1 << 20
        auditRotateSize = values.byteCount("audit-rotate-size") ?? 0
        guard auditRotateSize == 0 || auditRotateSize >= 1 << 20 else {
            throw ConfigurationError("\(values.origin("audit-rotate-size")): give 1MiB or more, or 0 for never")
        }
        auditedUse = values.text("audit-uses").flatMap { AuditedUse(rawValue: $0) } ?? .queued
        maximumConnections = values.number("max-connections") ?? 4096
        makersPerMinute = values.number("makes-per-minute") ?? 600
        keystoresPerCaller = values.number("keystores-per-caller") ?? 100_000
        requestTimeout = values.duration("request-timeout") ?? .seconds(30)
        shutdownTimeout = values.duration("shutdown-timeout") ?? .seconds(5)
        takesWorldReadableCredentials = values.boolean("credentials-world-readable") == true
        logLevel = values.text("log-level").flatMap { Logger.Level(rawValue: $0) } ?? .info
        keystores = KeystoreConfiguration()
        keystores.maximumKeystores = values.number("most-keystores") ?? 10_000_000
        keystores.lockKeyTTL = Self.lockTTL(values)
        keystores.shareTTL = locks.authServer?.timeToLive ?? .zero
        keystores.keyCacheSize = values.number("key-cache-size") ?? keystores.keyCacheSize
        keystores.destroyGrace = values.duration("destroy-grace") ?? keystores.destroyGrace
        keystores.didKeyGrace = values.duration("did-key-grace") ?? keystores.didKeyGrace
        keystores.rawSecp256k1Signatures = values.boolean("raw-secp256k1-signatures") ?? false
        keystores.maximumMessageBytes = maximumBody
        split = try SplitSettings(values, keystoreTTL: keystores.lockKeyTTL)
        // After each was read: an odd URL is told by its own reader.
        try outbound.checkServers(values)
        decryption = try DecryptionSettings(values, tls: tls)
        guard keystores.destroyGrace <= .seconds(365 * 24 * 3600) else {
            throw ConfigurationError("\(values.origin("destroy-grace")): the longest grace is 8760h (365 days)")
        }
        guard requestTimeout >= .seconds(1), tokenTimeout >= .milliseconds(100) else {
            throw ConfigurationError("request-timeout must be 1s or more, token-timeout 100ms or more")
        }
        guard shutdownTimeout >= .seconds(1), shutdownTimeout <= .seconds(600) else {
            throw ConfigurationError("\(values.origin("shutdown-timeout")): expected 1s to 10m")
        }
        try checkExposure(origin: values.origin("host"))
    }

    /// The settings of the token that opens a lock slot: those of this one, with its own home and address; nil if none is
    /// configured.
    ///
    /// - Throws: ``ConfigurationError`` for an address that is none.
    public func ofRecoveryToken() throws(ConfigurationError) -> Configuration? {
        guard let recovery = locks.recovery else { return nil }
        guard !recovery.home.isExactly(home) else {
            throw ConfigurationError("recovery-home is this home; it is that of another token")
        }
        return try ofToken(recovery.token, home: recovery.home, operand: "recovery-token-uri")
    }

    /// These settings with another token, whose manifest is in another directory.
    ///
    /// - Parameter operand: Who names the token, for messages.
    /// - Throws: ``ConfigurationError`` for an address that is none.
    public func ofToken(_ address: String, home: String, operand: String) throws(ConfigurationError) -> Configuration {
        var settings = self
        settings.home = home
        do throws(ConfigurationError) {
            settings.token = try Self.tokenURI(address)
            settings.tpm = try Self.tpmAddress(address)
        } catch {
            throw ConfigurationError("\(operand): \(error.message)")
        }
        return settings
    }

    /// Adds the setting's origin to what `parse` complains about.
    static func explained<Value>(
        _ values: ConfigurationValues, _ name: String, _ parse: (String?) throws(ConfigurationError) -> Value
    ) throws(ConfigurationError) -> Value {
        do { return try parse(values.text(name)) } catch {
            throw ConfigurationError("\(values.origin(name)): \(error.message)")
        }
    }

    private static func baseURL(_ text: String?) throws(ConfigurationError) -> String {
        // Slashes alone are no URL, and were always taken for none.
        guard let text, !text.utf8.allSatisfy({ $0 == UInt8(ascii: "/") }) else { return "" }
        return try URLSetting.read(text, .base)
    }

    private static func tokenURI(_ text: String?) throws(ConfigurationError) -> TokenURI? {
        guard let text, !text.isEmpty, !TPMAddress.isMeant(by: text) else { return nil }
        do { return try TokenURI(parsing: text) } catch { throw ConfigurationError(error.message) }
    }

    private static func moduleInitialisation(
        _ values: ConfigurationValues
    ) throws(ConfigurationError) -> PINSource? {
        guard let text = values.text("token-module-init-file"), !text.isEmpty else { return nil }
        do {
            return try PINSource(parsing: text)
        } catch {
            throw ConfigurationError(
                "\(values.origin("token-module-init-file")): expected an absolute path, 'file:/path' or 'credential:NAME'"
            )
        }
    }

    private static func tpmAddress(_ text: String?) throws(ConfigurationError) -> TPMAddress? {
        guard let text, TPMAddress.isMeant(by: text) else { return nil }
        do { return try TPMAddress(parsing: text) } catch { throw ConfigurationError(error.message) }
    }

    private static func tls(_ values: ConfigurationValues) throws(ConfigurationError) -> TLSFiles? {
        switch (values.text("tls-serve-cert"), values.text("tls-serve-key")) {
        case (nil, nil): return nil
        case (let certificate?, let key?): return TLSFiles(certificate: certificate, key: key)
        case (_?, nil): throw ConfigurationError("tls-serve-cert is given without tls-serve-key")
        case (nil, _?): throw ConfigurationError("tls-serve-key is given without tls-serve-cert")
        }
    }

    private static func capabilities(_ values: ConfigurationValues) -> CapabilityMode {
        guard values.text("auth-type") == "ZCAP" || values.boolean("enable-zcap") == true else { return .off }
        return values.boolean("zcap-strict") == true ? .strict : .compatible
    }

    private static func secretLock(_ values: ConfigurationValues) throws(ConfigurationError) -> SecretLockKind {
        let path = values.text("secret-lock-key-path")
        if values.text("secret-lock-type") == "local" {
            guard let path else { throw ConfigurationError("'secret-lock-type: local' needs secret-lock-key-path") }
            return .localFile(path: path)
        }
        guard path == nil else {
            throw ConfigurationError(
                "\(values.origin("secret-lock-key-path")) is for 'secret-lock-type: local', but another is the lock")
        }
        switch values.text("secret-lock-type") {
        case "aws": return .aws
        case "passphrase": return .passphrase
        default: return .token
        }
    }

    /// TrustBloc's two cache times bound ours, so that nobody who lowered them keeps keys longer here.
    private static func lockTTL(_ values: ConfigurationValues) -> Duration {
        if values.boolean("enable-cache") == false { return .zero }
        if let ttl = values.duration("lock-ttl") { return ttl }
        let bounds = [values.duration("key-store-cache-ttl"), values.duration("kms-cache-ttl")].compactMap { $0 }
        return min(.seconds(600), bounds.min() ?? .seconds(600))
    }
}

extension String? {
    fileprivate var nonEmpty: String? { self?.isEmpty == false ? self : nil }
}
