package import EnclaveLock
import Foundation
package import KMSConfiguration
package import Keystores
package import OutboundHTTP
package import RemoteLocks
import SecretMemory
package import Token

/// Makes the configured secret locks.
package struct SecretLocks {
    package let settings: Configuration
    package let token: (any TokenBackend)?
    /// Of another home; it opens a lock slot.
    package let recoveryToken: (any TokenBackend)?
    package let outbound: any OutboundSending

    package init(
        settings: Configuration, token: (any TokenBackend)?, recoveryToken: (any TokenBackend)? = nil,
        outbound: any OutboundSending
    ) {
        self.settings = settings
        self.token = token
        self.recoveryToken = recoveryToken
        self.outbound = outbound
    }

    /// - Throws: ``ConfigurationError`` for a file that cannot be used.
    package func make() throws -> KeystoreLocks {
        var others: [any SecretLock] = []
        if let token { others.append(TokenLock(token: token)) }
        let aws = try aws()
        if let aws { others.append(aws) }
        let passphrase = try settings.locks.passphraseFile.map { try Self.passphraseLock($0) }
        if let passphrase { others.append(passphrase) }
        let shares = try shares()
        let server: (any SecretLock)? =
            switch settings.secretLock {
            case .token: token.map { TokenLock(token: $0) }
            case .localFile(let path): try Self.localLock(path)
            case .aws: aws
            case .passphrase: passphrase
            }
        let isAmongOthers = others.contains { $0.kind == server?.kind }
        let recovery: (any SecretLock)? = try recovery(
            openers: others + (isAmongOthers ? [] : [server].compactMap { $0 }))
        guard let server = server ?? (settings.locks.isWithoutToken ? recovery : nil) else {
            throw ConfigurationError(
                settings.locks.isWithoutToken
                    ? "'without-token' needs a lock slot, and this home has none: `kmsd slot add` makes one while the "
                        + "token is there"
                    : "no token is configured; give --token-uri or KMS_TOKEN_URI")
        }
        return KeystoreLocks(server: server, standard: shares, recovery: recovery, others: others)
    }

    /// Nil in a home without lock slots.
    private func recovery(openers: [any SecretLock]) throws -> RecoveryLock? {
        guard let record = try SlotFile(home: settings.home).read() else { return nil }
        var openers = openers
        for file in settings.locks.recoveryPassphraseFiles {
            openers.append(try Self.passphraseLock(file, setting: "recovery-passphrase-files"))
        }
        if let lock = try recoveryTokenLock() { openers.append(lock) }
        openers.append(try PeopleLock(members: openers))
        return try RecoveryLock(record: record, openers: openers)
    }

    private func recoveryTokenLock() throws -> HybridSlotLock? {
        guard let recoveryToken, let home = settings.locks.recovery?.home else { return nil }
        guard let record = try RecipientFile(home: home).read() else {
            throw ConfigurationError("'\(home)' has no recipient.json: run `kmsd slot recipient` with that home")
        }
        let recipient = try TokenRecipient(record: record, token: recoveryToken)
        return try HybridSlotLock(recipient: recipient.publicKey, opener: recipient)
    }

    /// The lock of shares alone; nil if none is configured.
    package func shares() throws -> ShamirLock? { try settings.locks.authServer.map { try shamirLock($0) } }

    /// The lock of AWS KMS alone; nil if none is configured.
    package func aws() throws -> AWSKMSLock? { try settings.locks.aws.map { try awsLock($0) } }

    private static func localLock(_ path: String) throws -> LocalFileLock {
        do {
            return try LocalFileLock(path: path)
        } catch {
            throw ConfigurationError(
                "secret-lock-key-path '\(path)': \(error.message)", isAboutRights: error.isAboutRights)
        }
    }

    private static func passphraseLock(_ file: String) throws -> PassphraseLock {
        try passphraseLock(file, setting: "secret-lock-passphrase-file")
    }

    /// The lock of a passphrase in a file.
    ///
    /// - Parameter setting: Who names the file, for messages.
    package static func passphraseLock(_ file: String, setting: String) throws -> PassphraseLock {
        let passphrase = try secret(setting, file, PassphraseLock.lengths)
        do {
            return try PassphraseLock(passphrase: passphrase)
        } catch {
            throw ConfigurationError("\(setting): \(error.message)")
        }
    }

    private func shamirLock(_ auth: LockSettings.AuthServer) throws -> ShamirLock {
        do throws(OutboundError) {
            try settings.outbound.policy.check(url: auth.url)
        } catch {
            throw ConfigurationError("auth-server-url: \(error.message)")
        }
        let token =
            switch auth.token {
            case .text(let token): token
            case .file(let file): try Self.secret("auth-server-token-file", file, 1...4096)
            }
        return ShamirLock(
            source: AuthServer(url: auth.url, token: token, outbound: outbound, timeToLive: auth.timeToLive))
    }

    private func awsLock(_ aws: LockSettings.AWS) throws -> AWSKMSLock {
        if let endpoint = aws.endpoint {
            do throws(OutboundError) {
                try settings.outbound.policy.check(url: endpoint)
            } catch {
                throw ConfigurationError("secret-lock-aws-endpoint: \(error.message)")
            }
        }
        return AWSKMSLock(
            key: aws.key, endpoint: aws.endpoint, credentials: try Self.credentials(aws), outbound: outbound)
    }

    private static func credentials(_ aws: LockSettings.AWS) throws -> AWSCredentials {
        if let (accessKey, file) = aws.credentials {
            return AWSCredentials(
                accessKey: accessKey, secretKey: try secret("secret-lock-aws-secret-key", file, 1...256))
        }
        let environment = ProcessInfo.processInfo.environment
        if let file = aws.credentialsFile {
            let content = try secret("secret-lock-aws-credentials-file", file, 1...65536)
            guard let credentials = try content.withSecret({ try AWSCredentials(reading: $0) }) else {
                throw ConfigurationError(
                    "secret-lock-aws-credentials-file '\(file)' has no default profile with aws_access_key_id and "
                        + "aws_secret_access_key")
            }
            return credentials
        }
        guard let accessKey = environment["AWS_ACCESS_KEY_ID"], !accessKey.isEmpty,
            let secretKey = environment["AWS_SECRET_ACCESS_KEY"], !secretKey.isEmpty
        else {
            throw ConfigurationError(
                "the AWS lock has no credentials: give secret-lock-aws-credentials-file, or AWS_ACCESS_KEY_ID and "
                    + "AWS_SECRET_ACCESS_KEY")
        }
        return AWSCredentials(
            accessKey: accessKey,
            secretKey: SharedSecret(
                try SecretBytes.make(count: secretKey.utf8.count) { $0.copyBytes(from: secretKey.utf8) }),
            sessionToken: environment["AWS_SESSION_TOKEN"].flatMap { $0.isEmpty ? nil : $0 })
    }

    private static func secret(
        _ setting: String, _ source: String, _ lengths: ClosedRange<Int>
    ) throws -> SharedSecret {
        do throws(SecretFileError) {
            return SharedSecret(try SecretFile.read(source, lengths: lengths))
        } catch {
            throw ConfigurationError("\(setting): \(error.message)", isAboutRights: error.isAboutRights)
        }
    }
}
