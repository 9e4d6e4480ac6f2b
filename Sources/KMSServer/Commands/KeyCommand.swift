import ArgumentParser
import HSMBridge
import Keystores

/// `kmsd key`.
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Look at keys.", subcommands: [List.self])

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
            var all: [KeyMetadata] = []
            var after: String?
            repeat {
                let page = try await application.keystores.keys(keystore: keystore, after: after, limit: 1000)
                all += page.items
                after = page.next
            } while after != nil
            switch common.output {
            case .json: try Terminal.print(json: all)
            case .text:
                for key in all {
                    let created = Timestamp(key.createdAt).rfc3339(digits: 0)
                    Terminal.print(
                        "\(key.id)  \(key.type)  \(key.state.rawValue)  \(key.provenance.rawValue)  \(created)")
                }
            }
        }
    }
}
