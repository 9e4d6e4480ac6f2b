import ArgumentParser
import Decryption
import DecryptionAPI
import DecryptionClient
import Encodings
import Foundation
import KMSDaemon
import LibCrypto

extension DecryptionCommand {
    /// `kmsd decryption wallet`.
    struct Wallet: ClientVerb {
        static let configuration = CommandConfiguration(
            commandName: "wallet",
            abstract: "Make a wallet's keys: an account's, and one that values are re-encrypted for.",
            discussion: """
                Writes account.key (secp256k1, as Ethereum's tools have it) and enc.key (X25519) into a new directory, mode \
                0700, as 64 hexadecimal digits in files of mode 0600, and prints the account's address. An account of your \
                own: put its key into the file.

                  kmsd decryption wallet alice
                """)

        @Option(help: "text or json.") var output: OutputFormat = .text
        @Argument(help: "The directory, which is not there yet.") var directory: String

        func work() async throws -> ExitStatus {
            let keys = try WalletDirectory.make(directory)
            let account = "0x" + Hexadecimal.encode(keys.address)
            switch output {
            case .json:
                try Terminal.print(
                    json: ["account": account, "enc_key": Hexadecimal.encode(keys.encryption.publicKey)])
            case .text: Terminal.print(account)
            }
            return .ok
        }
    }

    /// `kmsd decryption permit`.
    struct Permit: ClientVerb {
        static let configuration = CommandConfiguration(
            commandName: "permit",
            abstract: "Play the wallet: sign (EIP-712) that values may be re-encrypted for its key.",
            discussion: """
                Offline. The file holds the account, the public key and the authorisation; give it to the full node. Without \
                --days it is a Reencrypt(publicKey), which has no end; with it a UserDecryptRequestVerification from now on.

                  kmsd decryption permit --wallet alice --days 30 --out permit.json
                """)

        @Option(help: "The wallet's directory.") var wallet: String
        @Option(help: "The chain id of the EIP-712 domain. [KMS_DECRYPTION_AUTH_CHAIN_ID]") var authChainId: UInt64?
        @Option(help: "Its verifying contract, 20 bytes in hexadecimal. [KMS_DECRYPTION_AUTH_CONTRACT]")
        var authContract: String?
        @Option(help: "How many days it holds, 1 to 365.") var days: UInt32?
        @Option(name: .customLong("for-contract"), help: "With --days: a contract that it names; may be repeated.")
        var contracts: [String] = []
        @Option(help: "Where it goes: a new file.") var out: String
        @Option(help: "text or json.") var output: OutputFormat = .text

        func work() async throws -> ExitStatus {
            let variable = RemoteOptions.variable("KMS_DECRYPTION_AUTH_CHAIN_ID")
            guard let chainID = authChainId ?? variable.flatMap({ UInt64($0) }) else {
                throw CommandFailure.usage(
                    "--auth-chain-id or KMS_DECRYPTION_AUTH_CHAIN_ID: expected the domain's chain id")
            }
            guard let contract = authContract ?? RemoteOptions.variable("KMS_DECRYPTION_AUTH_CONTRACT") else {
                throw CommandFailure.usage(
                    "--auth-contract or KMS_DECRYPTION_AUTH_CONTRACT: expected the verifying contract")
            }
            guard days.map({ 1...365 ~= $0 }) ?? contracts.isEmpty else {
                throw CommandFailure.usage("--days: expected 1 to 365; --for-contract needs it")
            }
            let keys = try WalletDirectory.open(wallet)
            var unsigned = UserAuthorization(
                scheme: days == nil ? .legacyReencrypt : .userDecryptRequest, chainID: chainID,
                verifyingContract: try HexArgument.bytes(contract, 20, "--auth-contract"), signature: [])
            if let days {
                unsigned.start = UInt64(Date().timeIntervalSince1970)
                unsigned.durationDays = days
                unsigned.contractAddresses = try contracts.map { try HexArgument.bytes($0, 20, "--for-contract") }
            }
            let permit = PermitFile(
                account: Hexadecimal.encode(keys.address), encKey: Hexadecimal.encode(keys.encryption.publicKey),
                userAuth: Hexadecimal.encode(try keys.sign(unsigned).encoded()))
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try NewFile.write([UInt8](try encoder.encode(permit)) + [0x0A], to: out)
            let account = "0x" + permit.account
            switch output {
            case .json: try Terminal.print(json: ["account": account, "permit": out])
            case .text: Terminal.print("permit of \(account) in \(out)")
            }
            return .ok
        }
    }
}
