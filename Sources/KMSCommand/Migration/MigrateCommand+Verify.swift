import ArgumentParser
import Audit
import Encodings
import KMSConfiguration
import KMSDaemon
import Migration

extension MigrateCommand {
    /// `kmsd migrate verify`.
    struct Verify: Verb {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Prove that both tokens open every record to the same, or check such a proof.",
            discussion: """
                Opens each record on both tokens and asks both the same challenge; the transcript lists records, hashes of both \
                forms and both answers, is signed by both audit keys and named in the audit chain. The daemon must not run \
                meanwhile.

                With --transcript it checks a transcript anywhere, without token and home, and names the first line that is \
                not as it was written. Whose keys have signed, their fingerprints say: compare them, or give them.

                  kmsd migrate verify --transcript 5f3c….jsonl \\
                    --source-key 5f3c… --target-key 9ab0…
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var options: Options
        @Option(help: "Check this file, and nothing else.") var transcript: String?
        @Option(help: "With --transcript: SHA-256 of the audit key of the token before, in hex.") var sourceKey: String?
        @Option(help: "With --transcript: SHA-256 of the audit key of the token after, in hex.") var targetKey: String?

        @Flag(help: "With --transcript: print it as a page to read and to file, in HTML.") var html = false

        private struct Checked: Encodable {
            struct Kind: Encodable {
                var kind: String
                var count: Int
            }
            var transcript: String
            var sha256: String
            var kinds: [Kind]
            var sourceKey: String
            var targetKey: String
        }

        func validate() throws {
            guard transcript != nil || (sourceKey == nil && targetKey == nil && !html) else {
                throw ValidationError("--source-key, --target-key and --html belong to --transcript")
            }
        }

        func work() async throws -> ExitStatus {
            if let transcript { return try check(transcript) }
            let work = try MigrateCommand.work(common, options)
            let proved = try await MigrateCommand.withProgress { progress in
                try await work.verify(progress: progress)
            }
            switch common.output {
            case .json: try Terminal.print(json: proved)
            case .text:
                Terminal.print("\(proved.records) records open on both tokens to the same.")
                Terminal.print("transcript  \(proved.transcript)")
                Terminal.print("sha256      \(proved.sha256)")
                Terminal.print("signed by   \(proved.sourceKey) and \(proved.targetKey)")
            }
            return .ok
        }

        private func check(_ path: String) throws -> ExitStatus {
            guard FilePresence.exists(path) else {
                throw CommandFailure(.usage, code: "file", "--transcript: there is no file '\(path)'.")
            }
            var reader = try TranscriptReader(path: path)
            let kinds = try reader.check().map { Checked.Kind(kind: $0.kind, count: $0.count) }
            let keys = try [reader.header.source, reader.header.target].map { side in
                try AuditPublicKey(subjectPublicKeyInfo: Hexadecimal.decode(side.auditKey) ?? []).fingerprint
            }
            for (option, wanted, found) in [
                ("--source-key", sourceKey, keys[0]), ("--target-key", targetKey, keys[1]),
            ] {
                guard let wanted else { continue }
                guard wanted.asciiLowercased().isExactly(found) else {
                    throw MigrationError(
                        .transcript, "\(option): the transcript is signed by another key, \(found).")
                }
            }
            guard !html else {
                try TranscriptPage.write(path) { Terminal.print(exactly: $0) }
                return .ok
            }
            let checked = Checked(
                transcript: path, sha256: try reader.name, kinds: kinds, sourceKey: keys[0], targetKey: keys[1])
            switch common.output {
            case .json: try Terminal.print(json: checked)
            case .text:
                for kind in checked.kinds { Terminal.print("  \(kind.count) \(kind.kind)") }
                Terminal.print("sha256      \(checked.sha256)")
                Terminal.print("signed by   \(checked.sourceKey) and \(checked.targetKey)")
                if sourceKey == nil || targetKey == nil {
                    Terminal.print("Compare the two keys with what `kmsd audit key` showed of each token.")
                }
            }
            return .ok
        }
    }
}
