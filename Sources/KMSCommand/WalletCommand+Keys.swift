import ArgumentParser
import Foundation
import KMSDaemon
import WalletClient

extension WalletCommand {
    /// What is public of a wallet's key.
    private struct Report: Encodable {
        var clientID: String
        var clientKey: String
        var shares: [Share]?

        enum CodingKeys: String, CodingKey {
            case clientID = "client_id"
            case clientKey = "client_key"
            case shares
        }

        init(_ key: WalletKey, shares: [Share]? = nil) throws {
            clientID = try key.clientID()
            clientKey = key.publicKeyText
            self.shares = shares
        }

        func tell(_ output: OutputFormat) throws {
            switch output {
            case .json: try Terminal.print(json: self)
            case .text:
                Terminal.print("client_id   \(clientID)\nclient_key  \(clientKey)")
                for share in shares ?? [] { Terminal.print("\(share.file)\n  public_key  \(share.publicKey)") }
            }
        }
    }

    private struct Share: Encodable {
        var file: String
        var publicKey: String

        enum CodingKeys: String, CodingKey {
            case file
            case publicKey = "public_key"
        }
    }

    /// `kmsd wallet show`.
    struct Show: OfflineVerb {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Print a wallet's id and public key.",
            discussion: "A mistyped mnemonic is not noticed: it is another wallet's. Compare the id.")

        @OptionGroup var secret: WalletSecretOptions
        @OptionGroup var kind: WalletSuiteOptions
        @Option(help: "text or json.") var output: OutputFormat = .text

        func work() throws -> ExitStatus {
            try Report(try secret.key(kind)).tell(output)
            return .ok
        }
    }

    /// `kmsd wallet split`.
    struct Split: OfflineVerb {
        static let configuration = CommandConfiguration(
            commandName: "split",
            abstract: "Split a wallet's key into shares that sign together.",
            discussion: """
                Writes share-1.key, share-2.key and so on, each 64 hexadecimal digits, mode 0600, into a directory \
                that must not hold them yet. All shares together are the key; keep them apart.
                """)

        @OptionGroup var secret: WalletSecretOptions
        @OptionGroup var kind: WalletSuiteOptions
        @Option(help: "Where the shares go; made if it is not there.") var directory: String
        @Option(help: "How many shares, 2 to 16.") var count = 2
        @Option(help: "text or json.") var output: OutputFormat = .text

        func work() throws -> ExitStatus {
            let key = try secret.key(kind)
            let keys = try key.split(count)
            let files = try WalletShareFiles.write(keys, into: directory)
            try Report(key, shares: zip(keys, files).map { Share(file: $1, publicKey: $0.publicKeyText) }).tell(output)
            return .ok
        }
    }
}
