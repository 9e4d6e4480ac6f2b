import ArgumentParser
import Foundation
import HSMBridge
import Keystores

/// `kmsd key`.
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Make and look at keys.", subcommands: [Create.self, List.self])

    /// `kmsd key create`.
    struct Create: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Make a key at a running server.",
            discussion: """
                Prints its URL, and its public key in base64 if it has one.

                  export KMS_CLI_URL=http://127.0.0.1:8074
                  kmsd key create --keystore c9o5vqkv5ig3jl0q9m3g --type ED25519
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup(title: "Server") var remote: RemoteOptions
        @Option(help: "The keystore's id. [KMS_CLI_KEYSTORE_ID]") var keystore: String?
        @Option(help: "The key's type. [KMS_KEY_TYPE]") var type: String?

        func work() async throws -> ExitStatus {
            let environment = ProcessInfo.processInfo.environment
            guard let keystore = keystore ?? environment["KMS_CLI_KEYSTORE_ID"], Self.isIdentifier(keystore) else {
                throw CommandFailure(.usage, code: "usage", "--keystore: expected a keystore's id")
            }
            guard let type = type ?? environment["KMS_KEY_TYPE"] else {
                throw CommandFailure(.usage, code: "usage", "--type: expected a key type, such as ED25519")
            }
            let answer = try await remote.post("/v1/keystores/\(keystore)/keys", ["key_type": type])
            switch common.output {
            case .json: try Terminal.print(json: answer)
            case .text:
                Terminal.print(HarmlessText.of(answer["key_url"] ?? ""))
                if let publicKey = answer["public_key"] { Terminal.print(HarmlessText.of(publicKey)) }
            }
            return .ok
        }

        /// It becomes a part of a path.
        private static func isIdentifier(_ text: String) -> Bool {
            (1...64).contains(text.utf8.count)
                && text.utf8.allSatisfy {
                    switch $0 {
                    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
                    default: false
                    }
                }
        }
    }

    /// `kmsd key list`.
    struct List: Verb {
        static let configuration = CommandConfiguration(
            abstract: "List a keystore's keys.",
            discussion: """
                Reads the database, also while the daemon runs, and checks each row with the token. Shows no material.

                  kmsd key list c9o5vqkv5ig3jl0q9m3g --output json
                """)

        @OptionGroup var common: CommonOptions
        @Argument(help: "The keystore's id.") var keystore: String

        func work() async throws -> ExitStatus {
            let application = try Application.build(try common.configuration())
            application.token?.start()
            do {
                try await application.token?.waitUntilReady(timeout: .seconds(10))
                try await list(application)
            } catch {
                await application.token?.shutdown()
                throw error
            }
            await application.token?.shutdown()
            try application.store.close()
            return .ok
        }

        private func list(_ application: Application) async throws {
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
