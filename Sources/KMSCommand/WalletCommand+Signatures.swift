import ArgumentParser
import KMSDaemon
import WalletClient

extension WalletCommand {
    private struct Signature: Encodable {
        var signature: String
    }

    private struct Verdict: Encodable {
        var valid: Bool
    }

    private static func tell(_ signature: String, _ output: OutputFormat) throws {
        switch output {
        case .json: try Terminal.print(json: Signature(signature: signature))
        case .text: Terminal.print(signature)
        }
    }

    /// `kmsd wallet sign`.
    struct Sign: OfflineVerb {
        static let configuration = CommandConfiguration(
            commandName: "sign",
            abstract: "Sign a hash with a key or with one share of it.",
            discussion: "The hash is what the chain calls a transaction's hash: SHA3-256, 64 hexadecimal digits.")

        @OptionGroup var secret: WalletSecretOptions
        @OptionGroup var kind: WalletSuiteOptions
        @OptionGroup var use: WalletPurposeOptions
        @Option(help: "64 hexadecimal digits.") var hash: String
        @Option(help: "text or json.") var output: OutputFormat = .text

        func work() throws -> ExitStatus {
            try WalletCommand.tell(try secret.key(kind).sign(hash: hash, purpose: use.purpose), output)
            return .ok
        }
    }

    /// `kmsd wallet combine`.
    struct Combine: OfflineVerb {
        static let configuration = CommandConfiguration(
            commandName: "combine",
            abstract: "Add the signatures of all shares up to the wallet's.",
            discussion: "The sum is printed only if it verifies under the wallet's public key.")

        @Option(help: "64 hexadecimal digits.") var hash: String
        @OptionGroup var kind: WalletSuiteOptions
        @OptionGroup var use: WalletPurposeOptions
        @Option(help: "The wallet's client key, 128 (or 130) hexadecimal digits.") var publicKey: String
        @Argument(help: "Signatures by the shares, 64 (or 66) hexadecimal digits each.") var signatures: [String]
        @Option(help: "text or json.") var output: OutputFormat = .text

        func work() throws -> ExitStatus {
            let sum = try WalletSignature.sum(signatures, suite: kind.suite)
            guard
                try WalletSignature.verify(
                    sum, hash: hash, publicKey: publicKey, suite: kind.suite, purpose: use.purpose)
            else {
                throw CommandFailure(
                    .failed, code: WalletError.Code.doesNotVerify.rawValue,
                    "the sum does not verify: a share is missing or signed another hash, or the key is another wallet's"
                )
            }
            try WalletCommand.tell(sum, output)
            return .ok
        }
    }

    /// `kmsd wallet verify`.
    struct Verify: OfflineVerb {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Verify a signature; exit code 2 if it is not valid.")

        @Option(help: "64 hexadecimal digits.") var hash: String
        @OptionGroup var kind: WalletSuiteOptions
        @OptionGroup var use: WalletPurposeOptions
        @Option(help: "The signer's public key, 128 (or 130) hexadecimal digits.") var publicKey: String
        @Option(help: "64 (or 66) hexadecimal digits.") var signature: String
        @Option(help: "text or json.") var output: OutputFormat = .text

        func work() throws -> ExitStatus {
            let isValid = try WalletSignature.verify(
                signature, hash: hash, publicKey: publicKey, suite: kind.suite, purpose: use.purpose)
            switch output {
            case .json: try Terminal.print(json: Verdict(valid: isValid))
            case .text: Terminal.print(isValid ? "valid" : "not valid")
            }
            return isValid ? .ok : .findings
        }
    }
}
