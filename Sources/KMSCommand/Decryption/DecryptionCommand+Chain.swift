import ArgumentParser
import Encodings
import KMSDaemon

extension DecryptionCommand {
    /// `kmsd decryption chain`.
    struct Chain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "chain", abstract: "The chain that a running daemon follows.", subcommands: [Resolve.self])
    }
}

extension DecryptionCommand.Chain {
    /// `kmsd decryption chain resolve`.
    struct Resolve: Verb {
        static let configuration = CommandConfiguration(
            commandName: "resolve",
            abstract: "Say which header is right after sources of the light client showed two of one height.",
            discussion: """
                Until then nothing is decrypted, after a restart neither. `kmsd decryption status` and `kmsd doctor` tell \
                both hashes and the height: ask other nodes, the chain's operators or an explorer which one the chain has. \
                The daemon goes on from what it trusted before, takes no other header at that height, and records what was \
                given up; no restart is needed. If it is the followed node that lied, name another one \
                (decryption-rpc) and start the daemon again; a source that lies on stops it again.

                Needs what the server's own routes need, such as a service's token.

                  kmsd decryption chain resolve --header 4976a119… --url http://127.0.0.1:8074
                """)

        private struct Report: Encodable {
            var chainID: String
            var height: String
            var kept: String
            var givenUp: String

            enum CodingKeys: String, CodingKey {
                case height, kept
                case chainID = "chain_id"
                case givenUp = "given_up"
            }
        }

        @OptionGroup var common: CommonOptions
        @OptionGroup(title: "Server") var remote: RemoteOptions
        @Option(help: "The hash of the header that is right: 64 hexadecimal digits.") var header: String

        func work() async throws -> ExitStatus {
            let hash = Hexadecimal.encode(try HexArgument.bytes(header, 32, "--header"))
            let answer = try await remote.post("/v1/decryption/chain/resolve", ["header": hash])
            let report = Report(
                chainID: answer["chain_id"] ?? "", height: answer["height"] ?? "", kept: answer["kept"] ?? "",
                givenUp: answer["given_up"] ?? "")
            switch common.output {
            case .json: try Terminal.print(json: report)
            case .text:
                Terminal.print(
                    "\(TerminalEscaping.of(report.chainID)): kept \(TerminalEscaping.of(report.kept)) at height "
                        + "\(TerminalEscaping.of(report.height)), gave up \(TerminalEscaping.of(report.givenUp))")
            }
            return .ok
        }
    }
}
