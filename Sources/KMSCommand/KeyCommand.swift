import ArgumentParser
import Encodings
import Foundation
import KMSDaemon
import Keystores
import Token

/// `kmsd key`.
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Make, look at, use and end keys.",
        discussion: """
            All but `list` ask a running server. A keystore is named with --keystore, a key by its id or by the URL \
            that `key create` printed, which names its keystore too.
            """,
        subcommands: [
            Create.self, List.self, Show.self, Export.self, Sign.self, Verify.self, Disable.self, Enable.self,
            Destroy.self, Restore.self,
        ])

    /// `kmsd key create`.
    struct Create: Verb {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Make a key at a running server.",
            discussion: """
                Prints its URL, and its public key in base64 if it has one.

                  export KMS_CLI_URL=http://127.0.0.1:8074
                  kmsd key create --keystore c9o5vqkv5ig3jl0q9m3g --type ED25519
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup(title: "Server") var remote: RemoteOptions
        @OptionGroup var reference: KeystoreReference
        @Option(help: "The key's type. [KMS_KEY_TYPE]") var type: String?

        func work() async throws -> ExitStatus {
            let keystore = try reference.identifier()
            guard let type = type ?? RemoteOptions.variable("KMS_KEY_TYPE") else {
                throw CommandFailure(.usage, code: "usage", "--type: expected a key type, such as ED25519")
            }
            let answer = try await remote.post("/v1/keystores/\(keystore)/keys", ["key_type": type])
            switch common.output {
            case .json: try Terminal.print(json: answer)
            case .text:
                Terminal.print(TerminalEscaping.of(answer["key_url"] ?? ""))
                if let publicKey = answer["public_key"] { Terminal.print(TerminalEscaping.of(publicKey)) }
            }
            return .ok
        }
    }

    /// `kmsd key list`.
    struct List: Verb {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List a keystore's keys.",
            discussion: """
                Reads the database, also while the daemon runs, and checks each row with the token. Shows no material.

                  kmsd key list --keystore c9o5vqkv5ig3jl0q9m3g --output json
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var reference: KeystoreReference
        @Argument(help: "The same as --keystore.") var id: String?

        func work() async throws -> ExitStatus {
            let keystore = try reference.identifier(or: id)
            let application = try Application.build(try common.configuration())
            application.token?.start()
            do {
                if let token = application.token { try await TokenWork.wait(for: token, timeout: .seconds(10)) }
                try await list(application, keystore)
            } catch {
                if let token = application.token { await TokenWork.end(token) }
                throw error
            }
            if let token = application.token { await TokenWork.end(token) }
            try application.store.close()
            return .ok
        }

        private func list(_ application: Application, _ keystore: String) async throws {
            let keys = try await Page.all { after in
                try await application.keystores.keys(keystore: keystore, after: after, limit: 1000)
            }
            try Terminal.print(keys, as: common.output) { key in
                let created = Timestamp(key.createdAt).rfc3339(digits: 0)
                return "\(key.id)  \(key.type)  \(key.state.rawValue)  \(key.provenance.rawValue)  \(created)"
            }
        }
    }
}
