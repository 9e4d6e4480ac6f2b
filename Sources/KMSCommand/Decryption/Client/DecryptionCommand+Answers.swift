import ArgumentParser
import Decryption
import DecryptionAPI
import DecryptionClient
import Encodings
import Foundation
import KMSDaemon
import LightClient
import OutboundHTTP
import SecretMemory

extension DecryptionCommand {
    /// `kmsd decryption status`.
    struct Status: ClientVerb {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "Ask a running daemon for its height, its keys and its key for results.",
            discussion: """
                The last line is what `verify` and `open` take as --result-key. It is as true as the connection that it came \
                over: compare it with the daemon's attestation, or get it when the daemon is set up, and keep it.

                  kmsd decryption status --server 127.0.0.1:50051
                """)

        @OptionGroup(title: "Server") var server: DecryptionServerOptions
        @Flag(help: "Ask again until headers are served, as long as --timeout says.") var wait = false
        @Option(help: "text or json.") var output: OutputFormat = .text

        private struct Shown: Encodable {
            var chainID: String
            var height: UInt64
            var headAge: UInt64
            var problem: String
            var keys: [String]
            var resultKey: String

            enum CodingKeys: String, CodingKey {
                case height, problem, keys
                case chainID = "chain_id"
                case headAge = "head_age_seconds"
                case resultKey = "result_key"
            }
        }

        func work() async throws -> ExitStatus {
            let status = try await ask()
            let key = "\(status.algorithm):\(Hexadecimal.encode(status.resultKey))"
            switch output {
            case .json:
                try Terminal.print(
                    json: Shown(
                        chainID: status.chainID, height: status.height, headAge: status.headAge,
                        problem: status.problem, keys: status.keys, resultKey: key))
            case .text:
                Terminal.print(
                    "chain \(TerminalEscaping.of(status.chainID)), height \(status.height), \(status.headAge) s old")
                if !status.problem.isEmpty { Terminal.print("problem: \(TerminalEscaping.of(status.problem))") }
                Terminal.print("keys: \(status.keys.map { TerminalEscaping.of($0) }.joined(separator: ", "))")
                Terminal.print("result key: \(TerminalEscaping.of(key))")
            }
            return status.problem.isEmpty ? .ok : .findings
        }

        private func ask() async throws -> ServiceStatus {
            let channel = try server.channel()
            let end = ContinuousClock.now + channel.timeout
            while true {
                do throws(DecryptionCallError) {
                    let status = try await ServiceStatus(of: channel)
                    if !wait || status.problem.isEmpty || .now > end { return status }
                } catch {
                    guard wait, error.speaker == .server, error.status.isExactly("UNAVAILABLE"), .now < end else {
                        throw CommandFailure(client: error)
                    }
                }
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    /// `kmsd decryption verify`.
    struct Verify: ClientVerb {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Check an answer, and show the value of a decryption for everybody.",
            discussion: """
                Offline. Checks the digest of the question, the signature under the pinned key for results, type, height \
                and account; with --header also that the proof leads to a header that you trust. An answer for a wallet of \
                GA or GB has its signature inside the box, which only `kmsd decryption open` sees. Exit code 2 if it does \
                not hold.

                  kmsd decryption verify --result-key ES256K:02… answer.json
                  curl -s "$rpc/commit?height=120" > header.json
                  kmsd decryption verify --result-key ES256K:02… --header header.json a.json
                """)

        @OptionGroup var pinned: ResultKeyOptions
        @Option(help: "A node's answer to `commit` at the proof's height, which you trust.") var header: String?
        @OptionGroup(title: "With --header") var contract: ContractOptions
        @Option(help: "Whose permission an answer for a wallet of GA or GB needs: 20 bytes in hexadecimal.")
        var account: String?
        @Option(help: "text or json.") var output: OutputFormat = .text
        @Argument(help: "What `kmsd decryption request` wrote.") var file: String

        private struct Shown: Encodable {
            var value: String?
            var type: String?
            var handle: String
            var height: UInt64
            var digest: String
            var account: String?
            var checked: [String]
        }

        func work() async throws -> ExitStatus {
            let answer = try AnswerFile.read(file, key: try pinned.key())
            let value = try answer.check()
            var checked = ["digest"]
            if value != nil || !answer.answer.signature.isEmpty { checked.append("signature") }
            if let header {
                let reply = try NodeReply.commit(InputFile.read(header, upTo: ChainLimits.replyLength))
                let list = try contract.accessList()
                try answer.check(header: reply, accessList: list, account: try whose(answer))
                checked += list == nil ? ["header"] : ["header", "proof"]
            }
            let shown = Shown(
                value: try value?.publicText(), type: value.map { "\($0.type)" },
                handle: "0x" + Hexadecimal.encode(answer.handle),
                height: answer.height, digest: Hexadecimal.encode(answer.answer.digest),
                account: answer.answer.account.isEmpty ? nil : "0x" + Hexadecimal.encode(answer.answer.account),
                checked: checked)
            switch output {
            case .json: try Terminal.print(json: shown)
            case .text:
                Terminal.print("valid (\(checked.joined(separator: ", "))): \(shown.handle) at height \(shown.height)")
                if let value {
                    Terminal.print(try value.publicText())
                } else {
                    Terminal.print("the value is in a wallet's box")
                }
            }
            return .ok
        }

        private func whose(_ answer: AnswerCheck) throws -> [UInt8]? {
            if let account { return try HexArgument.bytes(account, 20, "--account") }
            return answer.answer.account.isEmpty ? nil : answer.answer.account
        }
    }

    /// `kmsd decryption open`.
    struct Open: ClientVerb {
        static let configuration = CommandConfiguration(
            commandName: "open",
            abstract: "Play the wallet: open the box in an answer, and check everything in it.",
            discussion: """
                Offline. Prints the value, or writes it to a new file of mode 0600. Exit code 2 if the answer does not hold.

                  kmsd decryption open --wallet alice --result-key ES256K:02… answer.json
                """)

        @OptionGroup var pinned: ResultKeyOptions
        @Option(help: "The wallet's directory.") var wallet: String
        @Option(help: "Write the value to this new file, mode 0600, instead of printing it.") var to: String?
        @Option(help: "text or json.") var output: OutputFormat = .text
        @Argument(help: "What `kmsd decryption request` wrote.") var file: String

        func work() async throws -> ExitStatus {
            let answer = try AnswerFile.read(file, key: try pinned.key())
            let value = try answer.open(with: WalletDirectory.open(wallet))
            let text = try value.text()
            let end = [UInt8(ascii: "\n")]
            if let to {
                try SecretBytes.joining([], text, end).withUnsafeBytes { try NewFile.write($0, to: to, mode: 0o600) }
                return .ok
            }
            switch output {
            case .json:
                // As the encoder would write it, without a copy of the value outside locked memory.
                let (before, after) = ("{\n  \"type\" : \"\(value.type)\",\n  \"value\" : \"", "\"\n}\n")
                Terminal.print(secret: try SecretBytes.joining(Array(before.utf8), text, Array(after.utf8)))
            case .text: Terminal.print(secret: try SecretBytes.joining([], text, end))
            }
            return .ok
        }
    }
}
