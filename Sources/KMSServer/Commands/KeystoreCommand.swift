import ArgumentParser
import Keystores

/// `kmsd keystore`.
struct KeystoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keystore", abstract: "Look at keystores.", subcommands: [List.self])

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
            var all: [KeystoreMetadata] = []
            var after: String?
            repeat {
                let page = try await application.keystores.keystores(controller: controller, after: after, limit: 1000)
                all += page.items
                after = page.next
            } while after != nil
            switch common.output {
            case .json: try Terminal.print(json: all)
            case .text:
                for keystore in all {
                    let created = Timestamp(keystore.createdAt).rfc3339(digits: 0)
                    Terminal.print(
                        "\(keystore.id)  \(keystore.protection.rawValue)  \(created)  \(keystore.controller)")
                }
            }
            try application.store.close()
            return .ok
        }
    }
}
