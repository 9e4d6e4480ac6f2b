import ArgumentParser
import Encodings
import Foundation
import KMSDaemon
import SecretMemory
import WalletClient

/// Where a wallet verb finds its secret.
struct WalletSecretOptions: ParsableArguments {
    @Option(
        help: """
            File (mode 0600) or credential:NAME with 12 to 24 words or 64 hexadecimal digits; without it, the terminal is \
            asked.
            """)
    var secretFile: String?
    @Option(
        help: "File or credential:NAME with the mnemonic's passphrase; without it, that of wallets that can be split.")
    var passphraseFile: String?
    @OptionGroup var credentials: CredentialOptions

    func key(_ kind: WalletSuiteOptions) throws -> WalletKey {
        try credentials.use()
        let passphrase: SecretBytes
        if let passphraseFile {
            passphrase = try SecretFile.read(Self.absolute(passphraseFile), lengths: 0...256)
        } else {
            passphrase = try SecretBytes.make(count: WalletSeed.passphrase.utf8.count) {
                $0.copyBytes(from: WalletSeed.passphrase.utf8)
            }
        }
        guard let secretFile else {
            let typed = try WalletPrompt.read("Mnemonic or secret key (not shown): ")
            return try WalletSeed.read(typed, passphrase: passphrase, suite: kind.suite)
        }
        let text = try SecretFile.read(Self.absolute(secretFile), lengths: 1...1024)
        return try WalletSeed.read(text, passphrase: passphrase, suite: kind.suite)
    }

    private static func absolute(_ path: String) -> String {
        if ["/", "credential:", "file:"].contains(where: { path.startsExactly(with: $0) }) { return path }
        return FileManager.default.currentDirectoryPath + "/" + path
    }
}

extension CommandFailure {
    /// Failures of the wallet verbs; the others as everywhere.
    package init(wallet error: any Error) {
        switch error {
        case let error as WalletError:
            self.init(
                CommandFailure(
                    error.code == .invalidInput ? .usage : .failed, code: error.code.rawValue, error.message))
        default: self.init(error)
        }
    }
}
