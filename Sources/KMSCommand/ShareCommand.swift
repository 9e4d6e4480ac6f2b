import ArgumentParser
import Encodings
import KMSDaemon

/// `kmsd share`.
struct ShareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "share", abstract: "Shares of users that lock keystores.", subcommands: [Forget.self])

    /// `kmsd share forget`.
    struct Forget: Verb {
        static let configuration = CommandConfiguration(
            commandName: "forget",
            abstract: "Make a running server forget what it remembers of one user's share.",
            discussion: """
                After a user's shares were split again, the lost share opens nothing from memory any more, and the \
                Auth server is asked anew. Needs what the server's own routes need, such as a service's token.

                  kmsd share forget alice --url http://127.0.0.1:8074
                """)

        private struct Report: Encodable {
            var user: String
        }

        @OptionGroup var common: CommonOptions
        @OptionGroup(title: "Server") var remote: RemoteOptions
        @Argument(help: "The user's name, as requests give it in Auth-User.") var user: String

        func work() async throws -> ExitStatus {
            guard !user.isEmpty else { throw CommandFailure(.usage, code: "usage", "expected a user's name") }
            let encoded = user.utf8.map {
                PercentEncoding.isUnreserved($0) ? String(Unicode.Scalar($0)) : PercentEncoding.encode($0)
            }
            try await remote.call("DELETE", "/v1/shares/" + encoded.joined())
            switch common.output {
            case .json: try Terminal.print(json: Report(user: user))
            case .text: Terminal.print("forgot the share of \(TerminalEscaping.of(user))")
            }
            return .ok
        }
    }
}
