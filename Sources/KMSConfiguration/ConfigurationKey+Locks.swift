extension ConfigurationKey {
    /// What locks keystores, and who vouches for the servers that are called.
    static let locks: [ConfigurationKey] = [
        ConfigurationKey(
            name: "secret-lock-type", environment: "KMS_SECRET_LOCK_TYPE", kind: .text, standard: "token",
            summary: "What seals the keystores' lock keys: token, local, aws or passphrase.",
            effect: .refused(
                unless: ["token", "local", "aws", "passphrase"],
                reason: "the secret locks are 'token', 'local', 'aws' and 'passphrase'")),
        ConfigurationKey(
            name: "secret-lock-key-path", environment: "KMS_SECRET_LOCK_KEY_PATH", kind: .file,
            summary: "Key file of the local secret lock; mode 0600."),
        ConfigurationKey(
            name: "secret-lock-passphrase-file", environment: "KMS_SECRET_LOCK_PASSPHRASE_FILE", kind: .text,
            summary: "Passphrase of the passphrase lock, 12 bytes or more: absolute path (mode 0600) or "
                + "credential:NAME."),
        ConfigurationKey(
            name: "secret-lock-aws-key-uri", environment: "KMS_SECRET_LOCK_AWS_KEY_URI", kind: .text, standard: "",
            summary: "Key of the AWS lock: aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID."),
        ConfigurationKey(
            name: "secret-lock-aws-access-key", environment: "KMS_SECRET_LOCK_AWS_ACCESS_KEY", kind: .text,
            standard: "", summary: "AWS access key id; without it, AWS_ACCESS_KEY_ID or the credentials file."),
        ConfigurationKey(
            name: "secret-lock-aws-secret-key", environment: "KMS_SECRET_LOCK_AWS_SECRET_KEY", kind: .text,
            standard: "", summary: "Where its secret key is: absolute path (mode 0600) or credential:NAME."),
        ConfigurationKey(
            name: "secret-lock-aws-credentials-file", environment: "KMS_SECRET_LOCK_AWS_CREDENTIALS_FILE", kind: .text,
            summary: "AWS credentials file, mode 0600; its default profile is used."),
        ConfigurationKey(
            name: "secret-lock-aws-endpoint", environment: "KMS_SECRET_LOCK_AWS_ENDPOINT", kind: .text, standard: "",
            summary: "URL of AWS KMS; the region's own unless given."),
        ConfigurationKey(
            name: "without-token", environment: "KMS_WITHOUT_TOKEN", kind: .boolean, standard: "false",
            summary: "true: serve with a lock slot while the token is away; the record of decisions is unsigned then."),
        ConfigurationKey(
            name: "recovery-passphrase-files", environment: "KMS_RECOVERY_PASSPHRASE_FILES", kind: .text,
            summary:
                "Passphrases that open lock slots, separated by commas: absolute paths (mode 0600) or credential:NAME."),
        ConfigurationKey(
            name: "recovery-home", environment: "KMS_RECOVERY_HOME", kind: .path,
            summary: "Home directory of the token whose public key a lock slot is sealed to."),
        ConfigurationKey(
            name: "recovery-token-uri", environment: "KMS_RECOVERY_TOKEN_URI", kind: .text,
            summary: "That token, as token-uri names one."),
        ConfigurationKey(
            name: "auth-server-url", environment: "KMS_AUTH_SERVER_URL", kind: .text, standard: "",
            summary: "Auth server that keeps the users' other shares; with its token, new keystores are locked by "
                + "shares."),
        ConfigurationKey(
            name: "auth-server-token", environment: "KMS_AUTH_SERVER_TOKEN", kind: .text, standard: "",
            summary: "Token for the Auth server; better auth-server-token-file.", isAllowedInFile: false),
        ConfigurationKey(
            name: "auth-server-token-file", environment: "KMS_AUTH_SERVER_TOKEN_FILE", kind: .text,
            summary: "Token for the Auth server: absolute path (mode 0600) or credential:NAME."),
        ConfigurationKey(
            name: "shamir-secret-cache-ttl", environment: "KMS_SHAMIR_SECRET_CACHE_TTL", kind: .duration,
            standard: "10m",
            summary: "How long the Auth server's shares, and what they opened, stay in locked memory; 0s keeps nothing."
        ),
        ConfigurationKey(
            name: "tls-cacerts", environment: "KMS_TLS_CACERTS", kind: .text, standard: "",
            summary: "PEM files, separated by commas: authorities of the servers that are called; only they count."),
        ConfigurationKey(
            name: "tls-systemcertpool", environment: "KMS_TLS_SYSTEMCERTPOOL", kind: .boolean, standard: "false",
            summary: "true: the system's authorities count beside tls-cacerts."),
    ]
}
