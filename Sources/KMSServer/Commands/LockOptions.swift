import ArgumentParser

/// What locks keystores. Settings whose names are the original server's are among ``CompatibilityOptions``.
struct LockOptions: ParsableArguments {
    @Option(name: .customLong("secret-lock-passphrase-file"), help: .setting("secret-lock-passphrase-file"))
    var passphraseFile: String?
    @Option(name: .customLong("secret-lock-aws-credentials-file"), help: .setting("secret-lock-aws-credentials-file"))
    var awsCredentialsFile: String?
    @Option(name: .customLong("auth-server-token-file"), help: .setting("auth-server-token-file"))
    var authServerTokenFile: String?

    /// By setting name.
    var flags: [String: String] {
        let all: [String: String?] = [
            "secret-lock-passphrase-file": passphraseFile,
            "secret-lock-aws-credentials-file": awsCredentialsFile,
            "auth-server-token-file": authServerTokenFile,
        ]
        return all.compactMapValues { $0 }
    }
}
