import ArgumentParser

/// What locks keystores. Settings whose names are TrustBloc's are among ``CompatibilityOptions``.
struct LockOptions: ParsableArguments {
    @Option(name: .customLong("secret-lock-passphrase-file"), help: .setting("secret-lock-passphrase-file"))
    var passphraseFile: String?
    @Option(name: .customLong("secret-lock-aws-credentials-file"), help: .setting("secret-lock-aws-credentials-file"))
    var awsCredentialsFile: String?
    @Option(name: .customLong("without-token"), help: .setting("without-token")) var withoutToken: String?
    @Option(name: .customLong("recovery-passphrase-files"), help: .setting("recovery-passphrase-files"))
    var recoveryPassphraseFiles: String?
    @Option(name: .customLong("recovery-home"), help: .setting("recovery-home")) var recoveryHome: String?
    @Option(name: .customLong("recovery-token-uri"), help: .setting("recovery-token-uri"))
    var recoveryTokenURI: String?
    @Option(name: .customLong("auth-server-token-file"), help: .setting("auth-server-token-file"))
    var authServerTokenFile: String?

    /// By setting name.
    var flags: [String: String] {  // exact: names of settings and members, this program's own.
        let all: [String: String?] = [  // exact: names of settings and members, this program's own.
            "secret-lock-passphrase-file": passphraseFile,
            "secret-lock-aws-credentials-file": awsCredentialsFile,
            "without-token": withoutToken, "recovery-passphrase-files": recoveryPassphraseFiles,
            "recovery-home": recoveryHome, "recovery-token-uri": recoveryTokenURI,
            "auth-server-token-file": authServerTokenFile,
        ]
        return all.compactMapValues { $0 }
    }
}
