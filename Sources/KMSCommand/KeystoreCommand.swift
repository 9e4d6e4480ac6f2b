import ArgumentParser
import Encodings
import Foundation
import KMSConfiguration
import KMSDaemon
import Keystores

/// `kmsd keystore`.
struct KeystoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keystore", abstract: "Make and look at keystores.",
        subcommands: [Create.self, List.self, Show.self, Retire.self])

    /// `kmsd keystore create`.
    struct Create: Verb {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Make a keystore at a running server.",
            discussion: """
                Prints its URL, and its root capability if the server guards keystores by capabilities. Keys of a \
                resident keystore are used inside the token only. A lock other than the server's own is named by its \
                kind, if the server has it: token, local, aws, passphrase or shamir. The last one, shares of a user and an Auth \
                server, wants the user's share with every request: --share-user and --share-file.

                  kmsd keystore create --controller did:example:me --url http://127.0.0.1:8074
                  kmsd keystore create --controller did:example:me --protection resident
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup(title: "Server") var remote: RemoteOptions
        @Option(help: "Who may act on it. [KMS_CLI_CONTROLLER]") var controller: String?
        @Option(help: "sealed (used in the daemon's locked memory) or resident (used in the token only).")
        var protection: String?
        @Option(help: "What locks it, if not what the server is configured for.") var lock: String?

        func work() async throws -> ExitStatus {
            guard let controller = controller ?? RemoteOptions.variable("KMS_CLI_CONTROLLER") else {
                throw CommandFailure(.usage, code: "usage", "--controller: expected a DID or DID URL")
            }
            var body = ["controller": controller]
            if let protection {
                guard Protection(rawValue: protection) != nil else {
                    throw CommandFailure(.usage, code: "usage", "--protection: expected sealed or resident")
                }
                body["protection"] = protection
            }
            body["lock"] = lock
            let answer = try await remote.post("/v1/keystores", body)
            switch common.output {
            case .json: try Terminal.print(json: answer)
            case .text:
                Terminal.print(TerminalEscaping.of(answer["key_store_url"] ?? ""))
                if let capability = answer["capability"] { Terminal.print(TerminalEscaping.of(capability)) }
            }
            return .ok
        }
    }

    /// `kmsd keystore list`.
    struct List: Verb {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List keystores.",
            discussion: """
                Reads the database, also while the daemon runs; needs no token and no server.

                  kmsd keystore list --controller did:example:me --output json
                """)

        @OptionGroup var common: CommonOptions
        @Option(help: "Only keystores of this controller.") var controller: String?

        func work() async throws -> ExitStatus {
            let settings = try common.configuration()
            try HomeDirectory.check(settings.home)
            // Looking makes no database.
            guard FilePresence.exists(settings.databasePath) else {
                try Terminal.print([KeystoreMetadata](), as: common.output) { $0.id }
                return .ok
            }
            let store = try SQLiteKeystoreStore(path: settings.databasePath)
            let keystores = try await Page.all { after in
                try await KeystoreService.keystores(in: store, controller: controller, after: after, limit: 1000)
            }
            try Terminal.print(keystores, as: common.output) { keystore in
                let created = Timestamp(keystore.createdAt).rfc3339(digits: 0)
                let controller = TerminalEscaping.of(keystore.controller)
                return "\(keystore.id)  \(keystore.protection.rawValue)  \(created)  \(controller)"
            }
            try store.close()
            return .ok
        }
    }

    /// `kmsd keystore show`.
    struct Show: Verb {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a keystore of a running server.",
            discussion: """
                Its controller, how its keys are protected and what locks it.

                  kmsd keystore show --keystore c9o5vqkv5ig3jl0q9m3g
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup(title: "Server") var remote: RemoteOptions
        @OptionGroup var reference: KeystoreReference

        func work() async throws -> ExitStatus {
            let answer = try await remote.call("GET", "/v1/keystores/\(try reference.identifier())")
            switch common.output {
            case .json: try Terminal.print(json: ShownJSON(answer))
            case .text: Terminal.print(answer.line("id", "protection", "created_at", "controller"))
            }
            return .ok
        }
    }
}
