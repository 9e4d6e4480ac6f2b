import EnclaveLock
import Encodings
public import RemoteLocks
import SecretMemory

/// The secret locks beside the token and the local file, before any file is read.
public struct LockSettings: Sendable {
    /// An AWS key and who uses it.
    public struct AWS: Sendable {
        public var key: AWSKeyURI
        /// Nil for the region's own.
        public var endpoint: String?
        /// Access key id, and where its secret is.
        public var credentials: (accessKey: String, secretKeyFile: String)?
        public var credentialsFile: String?
    }

    /// The server that keeps the users' other shares.
    public struct AuthServer: Sendable {
        /// Without a slash at its end.
        public var url: String
        public var token: TokenSettings.SecretSource
        /// How long a share, and what it opened, may stay.
        public var timeToLive: Duration
    }

    public var passphraseFile: String?
    /// Whether to go on with a lock slot, without the token.
    public var isWithoutToken: Bool
    /// Files with passphrases of lock slots, or of people who open one together.
    public var recoveryPassphraseFiles: [String]
    /// Home directory of a token that opens a lock slot, and how the token is called.
    public var recovery: (home: String, token: String)?
    public var aws: AWS?
    /// New keystores are locked by shares if it is there.
    public var authServer: AuthServer?

    init(_ values: ConfigurationValues) throws(ConfigurationError) {
        passphraseFile = values.text("secret-lock-passphrase-file").nonEmpty
        isWithoutToken = values.boolean("without-token") == true
        recoveryPassphraseFiles =
            values.text("recovery-passphrase-files").nonEmpty?.splitExactly(at: ",").map { String($0) } ?? []
        guard recoveryPassphraseFiles.count <= 16 else {
            throw ConfigurationError("\(values.origin("recovery-passphrase-files")): at most 16 files are taken")
        }
        recovery = try Self.recovery(values)
        aws = try Self.aws(values)
        authServer = try Self.authServer(values)
        switch values.text("secret-lock-type") {
        case "aws" where aws == nil:
            throw ConfigurationError("\(values.origin("secret-lock-type")): 'aws' needs secret-lock-aws-key-uri")
        case "passphrase" where passphraseFile == nil:
            throw ConfigurationError(
                "\(values.origin("secret-lock-type")): 'passphrase' needs secret-lock-passphrase-file")
        default: break
        }
    }

    private static func recovery(
        _ values: ConfigurationValues
    ) throws(ConfigurationError) -> (home: String, token: String)? {
        switch (values.text("recovery-home").nonEmpty, values.text("recovery-token-uri").nonEmpty) {
        case (nil, nil): return nil
        case (let home?, let token?): return (home, token)
        case (nil, _?): throw ConfigurationError("recovery-token-uri is given without recovery-home")
        case (_?, nil): throw ConfigurationError("recovery-home is given without recovery-token-uri")
        }
    }

    private static func aws(_ values: ConfigurationValues) throws(ConfigurationError) -> AWS? {
        let accessKey = values.text("secret-lock-aws-access-key").nonEmpty
        let secretKeyFile = values.text("secret-lock-aws-secret-key").nonEmpty
        let credentialsFile = values.text("secret-lock-aws-credentials-file").nonEmpty
        let endpoint = try Configuration.explained(values, "secret-lock-aws-endpoint") {
            text throws(ConfigurationError) in
            guard let text, !text.isEmpty else { return String?.none }
            return try URLSetting.read(text, .base)
        }
        guard let uri = values.text("secret-lock-aws-key-uri").nonEmpty else {
            guard accessKey == nil, secretKeyFile == nil, credentialsFile == nil, endpoint == nil else {
                throw ConfigurationError("the settings secret-lock-aws-… need secret-lock-aws-key-uri")
            }
            return nil
        }
        guard (accessKey == nil) == (secretKeyFile == nil), accessKey == nil || credentialsFile == nil else {
            throw ConfigurationError(
                "give secret-lock-aws-access-key with secret-lock-aws-secret-key, or "
                    + "secret-lock-aws-credentials-file, or none of them and the variables AWS_ACCESS_KEY_ID and "
                    + "AWS_SECRET_ACCESS_KEY")
        }
        // The setting once held the secret itself: it is not quoted.
        if let secretKeyFile, !secretKeyFile.startsExactly(with: "/"), !secretKeyFile.startsExactly(with: "credential:")
        {
            throw ConfigurationError(
                "\(values.origin("secret-lock-aws-secret-key")): expected the absolute path of a file or "
                    + "credential:NAME, since the key itself would be readable by others")
        }
        do throws(EnclaveLockError) {
            var settings = AWS(key: try AWSKeyURI(parsing: uri), endpoint: endpoint, credentialsFile: credentialsFile)
            if let accessKey, let secretKeyFile { settings.credentials = (accessKey, secretKeyFile) }
            return settings
        } catch {
            throw ConfigurationError("\(values.origin("secret-lock-aws-key-uri")): \(error.message)")
        }
    }

    private static func authServer(_ values: ConfigurationValues) throws(ConfigurationError) -> AuthServer? {
        let text = values.text("auth-server-token").nonEmpty
        let file = values.text("auth-server-token-file").nonEmpty
        guard var url = values.text("auth-server-url").nonEmpty else {
            for name in ["auth-server-token", "auth-server-token-file"] where values.text(name).nonEmpty != nil {
                throw ConfigurationError("\(values.origin(name)) needs auth-server-url")
            }
            return nil
        }
        url = try Configuration.explained(values, "auth-server-url") { [url] _ throws(ConfigurationError) in
            try URLSetting.read(url, .base)
        }
        let token: TokenSettings.SecretSource
        switch (text, file) {
        case (nil, let file?): token = .file(file)
        case (let text?, nil): token = .text(try secret(text))
        case (nil, nil):
            // The same URL names the authorization server of GNAP.
            if values.text("auth-type") == "GNAP" { return nil }
            throw ConfigurationError(
                "\(values.origin("auth-server-url")) needs auth-server-token-file, or 'auth-type: GNAP'")
        case (_?, _?): throw ConfigurationError("give auth-server-token or auth-server-token-file, not both")
        }
        let timeToLive = values.duration("shamir-secret-cache-ttl") ?? .seconds(600)
        return AuthServer(
            url: url, token: token, timeToLive: values.boolean("enable-cache") == false ? .zero : timeToLive)
    }

    private static func secret(_ text: String) throws(ConfigurationError) -> SharedSecret {
        do {
            return SharedSecret(try SecretBytes.make(count: text.utf8.count) { $0.copyBytes(from: text.utf8) })
        } catch {
            throw ConfigurationError("\(error)", isAboutRights: true)
        }
    }
}

extension String? {
    fileprivate var nonEmpty: String? { self?.isEmpty == false ? self : nil }
}
