import ArgumentParser
import DevChain
import Encodings
import Foundation
import Glibc
import InclusionProofs
import KMSConfiguration
import KMSDaemon
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

extension DevCommand {
    /// `kmsd dev chain`.
    struct Chain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "chain", abstract: "A chain for trying out the decryption API, and its switches.",
            discussion: """
                For trials only: validators' keys live in this process, and every process of this machine that reaches the \
                port changes the chain. It is evidence of nothing.
                """,
            subcommands: [Serve.self, Allow.self, Revoke.self, Make.self, Behave.self], defaultSubcommand: Serve.self)
    }
}

extension DevCommand.Chain {
    /// `kmsd dev chain serve`.
    struct Serve: ClientVerb {
        static let configuration = CommandConfiguration(
            commandName: "serve",
            abstract: "Serve a chain's RPC on loopback: a node and its witness.",
            discussion: """
                Answers status, commit, validators and abci_query as CometBFT's nodes do, over a store with a contract's \
                permissions. A new chain each time; nothing is kept. --env writes the settings that a daemon and the verbs \
                of `kmsd decryption` need to follow it. With --recorded a node's recorded answers are served instead: files \
                commit-HEIGHT.json, validators-HEIGHT.json, status.json as curl saved them, and nothing can be changed.

                  kmsd dev chain --env chain.env
                  curl -s http://127.0.0.1:26657/commit > commit-7.json; kmsd dev chain --recorded .
                """)

        @Option(help: "The node's port, 0 for any.") var port: Int = 26657
        @Option(help: "The witness's port, 0 for any.") var witnessPort: Int = 26658
        @Option(help: "The chain's id: 1 to 40 letters, digits, - and _.") var chainId: String = "kmsd-trial-1"
        @Option(help: "The contract that permits, 20 bytes in hexadecimal.")
        var contract: String = "0x83194254201cff69c7c64fce7325fc73154bd031"
        @Option(help: "How often a block is made, 100ms to 1h; 0 for only when `make` or `allow` says so.")
        var blockTime: String = "1s"
        @Option(help: "Write settings to this file, which a shell reads with `.`.") var env: String?
        @Option(help: "Serve recorded answers from this directory.") var recorded: String?
        @Option(help: "text or json.") var output: OutputFormat = .text

        private static let authContract = "0xbf340197bb0f3c3df7abc4506b5b186342854389"

        func work() async throws -> ExitStatus {
            guard (0...65_535).contains(port), (0...65_535).contains(witnessPort), port == 0 || port != witnessPort
            else {
                throw CommandFailure.usage("--port, --witness-port: expected two ports, 0 to 65535")
            }
            let isName = chainId.utf8.allSatisfy {
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                    || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
            guard isName, 1...40 ~= chainId.utf8.count else {
                throw CommandFailure.usage("--chain-id: expected 1 to 40 letters, digits, - and _")
            }
            let (source, genesis) = try source()
            let server = TrialServer(source, nodes: 2)
            var logger = Logger(label: "kmsd.dev.chain") { StreamLogHandler.standardError(label: $0) }
            logger.logLevel = .warning
            let bound = Mutex<[Int: Int]>([:])
            let announce: @Sendable (Int, Int) -> Void = { node, port in
                let ports = bound.withLock { ports in
                    ports[node] = port
                    return ports
                }
                if let first = ports[0], let second = ports[1] { self.ready(first, second, genesis) }
            }
            let group = ServiceGroup(
                configuration: .init(
                    services: server.services(
                        ports: [port, witnessPort], blockTime: try interval(), logger: logger, didBind: announce
                    ).map {
                        .init(
                            service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                            failureTerminationBehavior: .cancelGroup, serviceName: "node")
                    }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
            do { try await group.run() } catch {
                throw CommandFailure(
                    .unavailable, code: "listen",
                    "the chain cannot be served on 127.0.0.1:\(port) and :\(witnessPort): \(PlainReason.of(error))")
            }
            return .ok
        }

        private func source() throws -> (TrialSource, String) {
            if let recorded {
                do { return (.recorded(try RecordedAnswers(directory: recorded)), "") } catch let error
                    as TrialChainError
                {
                    throw CommandFailure.usage("--recorded: \(error.description)")
                }
            }
            let list = try AccessList(
                contract: HexArgument.bytes(contract, 20, "--contract"), base: AccessList.namespace, decryptOffset: 1,
                reencryptOffset: 0)
            let chain = try TrialChain(
                TrialChain.Settings(chainID: chainId, accessList: list), count: 5,
                now: Int64(Date().timeIntervalSince1970) - 1)
            return (.chain(chain), Hexadecimal.encode(try chain.hash(at: 1) ?? []))
        }

        private func interval() throws -> Duration? {
            if blockTime.isExactly("0") { return nil }
            guard let duration = DurationText.parse(blockTime), duration >= .milliseconds(100),
                duration <= .seconds(3600)
            else { throw CommandFailure.usage("--block-time: expected 0, or a duration from 100ms to 1h") }
            return duration
        }

        /// Both nodes listen.
        private func ready(_ first: Int, _ second: Int, _ genesis: String) {
            if let env, recorded == nil {
                let lines = [
                    "# A chain for trials, made by kmsd dev chain: evidence of nothing.",
                    "export KMS_DECRYPTION_HOST=127.0.0.1:26650", "export KMS_DECRYPTION_CHAIN_ID=\(chainId)",
                    "export KMS_DECRYPTION_ACL_CONTRACT=0x\(hex(contract))",
                    "export KMS_DECRYPTION_RPC=http://127.0.0.1:\(first)",
                    "export KMS_DECRYPTION_WITNESSES=http://127.0.0.1:\(second)",
                    "export KMS_DECRYPTION_TRUST=1:\(genesis)", "export KMS_DECRYPTION_POLL=1s",
                    "export KMS_DECRYPTION_AUTH_CHAIN_ID=9000",
                    "export KMS_DECRYPTION_AUTH_CONTRACT=\(Self.authContract)", "export KMS_OUTBOUND_ALLOW=127.0.0.1",
                    "",
                ]
                do {
                    try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: env), options: .atomic)
                } catch { Terminal.complain("kmsd: --env '\(env)' cannot be written: \(PlainReason.of(error))") }
            }
            switch output {
            case .json:
                try? Terminal.print(
                    json: [
                        "rpc": "http://127.0.0.1:\(first)", "witness": "http://127.0.0.1:\(second)",
                        "trust": "1:\(genesis)",
                    ])
            case .text:
                Terminal.print(
                    "node http://127.0.0.1:\(first), witness http://127.0.0.1:\(second): a chain for trials, evidence of nothing"
                )
                Terminal.print("chain ready")
            }
        }

        private func hex(_ text: String) -> String { text.startsExactly(with: "0x") ? String(text.dropFirst(2)) : text }
    }
}
