import ArgumentParser
import Foundation
import Keystores

/// `kmsd keystore`.
struct KeystoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keystore", abstract: "Make and look at keystores.", subcommands: [Create.self, List.self])

    /// `kmsd keystore create`.
    struct Create: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Make a keystore at a running server.",
            discussion: """
                Prints its URL, and its root capability if the server guards keystores by capabilities.

                  kmsd keystore create --controller did:example:me --url http://127.0.0.1:8074
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup(title: "Server") var remote: RemoteOptions
        @Option(help: "Who may act on it. [KMS_CLI_CONTROLLER]") var controller: String?

        func work() async throws -> ExitStatus {
            guard let controller = controller ?? ProcessInfo.processInfo.environment["KMS_CLI_CONTROLLER"] else {
                throw CommandFailure(.usage, code: "usage", "--controller: expected a DID or DID URL")
            }
            let answer = try await remote.post("/v1/keystores", ["controller": controller])
            switch common.output {
            case .json: try Terminal.print(json: answer)
            case .text:
                Terminal.print(HarmlessText.of(answer["key_store_url"] ?? ""))
                if let capability = answer["capability"] { Terminal.print(HarmlessText.of(capability)) }
            }
            return .ok
        }
    }

    /// `kmsd keystore list`.
    struct List: Verb {
        static let configuration = CommandConfiguration(
            abstract: "List keystores.",
            discussion: """
                Reads the database, also while the daemon runs; needs no token.

                  kmsd keystore list --controller did:example:me --output json
                """)

        @OptionGroup var common: CommonOptions
        @Option(help: "Only keystores of this controller.") var controller: String?

        func work() async throws -> ExitStatus {
            let application = try Application.build(try common.configuration())
            let keystores = try await Page.all { after in
                try await application.keystores.keystores(controller: controller, after: after, limit: 1000)
            }
            try Terminal.print(keystores, as: common.output) { keystore in
                let created = Timestamp(keystore.createdAt).rfc3339(digits: 0)
                return "\(keystore.id)  \(keystore.protection.rawValue)  \(created)  \(keystore.controller)"
            }
            try application.store.close()
            return .ok
        }
    }
}
