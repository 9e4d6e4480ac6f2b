import ArgumentParser
import KMSDaemon

/// `kmsd wallet`: what a person does with a wallet's key, without any server.
struct WalletCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wallet",
        abstract: "Split a wallet's key, sign and verify, offline.",
        discussion: """
            Works with the keys of 0Chain's wallets, and with those of --suite bls-tpm-bn256. Secrets come from files \
            of mode 0600, or from a prompt; never from arguments. Nothing is sent anywhere.

              kmsd wallet show --secret-file mnemonic.txt
              kmsd wallet split --secret-file mnemonic.txt --directory shares
              kmsd wallet sign --secret-file shares/share-1.key --hash HASH
              kmsd wallet combine --hash HASH --public-key CLIENT_KEY PARTIAL PARTIAL
              kmsd wallet verify --hash HASH --public-key CLIENT_KEY --signature SIGNATURE
            """,
        subcommands: [Show.self, Split.self, Sign.self, Combine.self, Verify.self])
}

/// A verb that needs no configuration: it may be run where no daemon ever was.
protocol OfflineVerb: AsyncParsableCommand {
    var output: OutputFormat { get }
    /// Returns the exit code unless it throws.
    func work() throws -> ExitStatus
}

extension OfflineVerb {
    func run() async throws {
        let status: ExitStatus
        do {
            status = try work()
        } catch {
            let failure = CommandFailure(wallet: error)
            if output == .json { try Terminal.print(json: FailureReport(failure)) }
            Terminal.complain("kmsd: \(failure)")
            throw ExitCode(failure.status.rawValue)
        }
        if status != .ok { throw ExitCode(status.rawValue) }
    }
}
