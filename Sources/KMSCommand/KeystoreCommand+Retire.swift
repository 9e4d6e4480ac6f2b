import ArgumentParser
import Encodings
import KMSConfiguration
import KMSDaemon

extension KeystoreCommand {
    /// `kmsd keystore retire`.
    struct Retire: Verb {
        static let configuration = CommandConfiguration(
            commandName: "retire",
            abstract: "Destroy every key of a keystore at a running server.",
            discussion: """
                What there is instead of removing a keystore: its row, some hundred bytes without any key, stays, so \
                that a copy of the database from before cannot bring the keys back unnoticed and their ids are never \
                given away again. Each key is destroyed as `kmsd key destroy` does it, with the server's grace if none \
                is given, and can be restored until then. A second run goes on where the first was interrupted.

                  kmsd keystore retire --keystore c9o5vqkv5ig3jl0q9m3g --grace 72h
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup(title: "Server") var remote: RemoteOptions
        @OptionGroup var reference: KeystoreReference
        @Option(help: "How long the keys can be restored, such as 72h; 0s destroys at once.") var grace: String?

        private struct Report: Encodable {
            var keystore: String
            var destroyed = 0
            var pending = 0
        }

        func work() async throws -> ExitStatus {
            let keystore = try reference.identifier()
            let query = try GraceText.query(grace)
            var report = Report(keystore: keystore)
            var after = ""
            // Each page starts behind the last key that was seen, so the loop ends.
            while true {
                let page = try await remote.call("GET", "/v1/keystores/\(keystore)/keys?limit=50\(after)")
                for key in page["keys"]?.elements ?? [] {
                    guard let id = key["id"]?.text, KeyReference.isIdentifier(id) else { continue }
                    var key = key
                    if key["state"]?.text != "destroyed" {
                        key = try await remote.call("DELETE", "/v1/keystores/\(keystore)/keys/\(id)\(query)")
                    }
                    if key["state"]?.text == "destroyed" { report.destroyed += 1 } else { report.pending += 1 }
                }
                guard let next = page["next"]?.text, KeyReference.isIdentifier(next) else { break }
                after = "&after=\(next)"
            }
            switch common.output {
            case .json: try Terminal.print(json: report)
            case .text: Terminal.print("\(report.destroyed) keys are destroyed, \(report.pending) wait for it.")
            }
            return .ok
        }
    }
}

/// How long a key can be restored, as the API wants it.
enum GraceText {
    /// - Returns: A query with its question mark; empty for the server's own grace.
    static func query(_ text: String?) throws -> String {
        guard let text else { return "" }
        guard let duration = DurationText.parse(text), duration >= .zero, duration <= .seconds(365 * 86_400) else {
            throw CommandFailure(.usage, code: "usage", "--grace: expected a duration from 0s to 8760h, such as 72h")
        }
        return "?grace=\(duration.components.seconds)"
    }
}
