import ArgumentParser
import Audit
import Glibc
import KMSConfiguration
import KMSDaemon
import Token

/// `kmsd audit`.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Look at the record of every decision, and check it.",
        subcommands: [Tail.self, Verify.self, Export.self, Key.self, Rotate.self, Adopt.self, AdoptDatabase.self])

    /// `kmsd audit tail`.
    struct Tail: Verb {
        static let configuration = CommandConfiguration(
            commandName: "tail",
            abstract: "Show the last records.",
            discussion: """
                Also while the daemon runs. Control characters in other people's words are shown as \\u{...}. JSON is \
                one line for each record, in the form of `kmsd audit export`.

                After `kmsd audit rotate` audit.db begins later; where what is before it is, is told on standard error, and \
                --file shows it.

                  kmsd audit tail --lines 50
                  kmsd audit tail --follow --output json
                """)

        @OptionGroup var common: CommonOptions
        @Option(help: "An audit.db or an export. Default: audit.db in the home directory.") var file: String?
        @Option(name: [.customShort("n"), .long], help: "How many records.") var lines = 20
        @Flag(help: "Go on with every new record until interrupted.") var follow = false

        func validate() throws {
            guard (0...1_000_000).contains(lines) else { throw ValidationError("--lines is 0 to 1000000") }
        }

        func work() async throws -> ExitStatus {
            let reader = try AuditReader(path: try common.chainPath(file))
            let last = try reader.lastIndex()
            var next = last >= UInt64(lines) ? last - UInt64(lines) + 1 : 1
            if try next < reader.firstIndex() { try AuditCommand.tellArchive(of: reader) }
            repeat {
                for line in try reader.records(from: next, limit: 1000) {
                    guard case .record(let record, _) = line else { continue }
                    switch common.output {
                    case .json: Terminal.print(exactly: TerminalEscaping.json(line.json))
                    case .text: Terminal.print(AuditText.line(record))
                    }
                    next = record.index + 1
                }
                if try next > reader.lastIndex() {
                    guard follow else { break }
                    try await Task.sleep(for: .milliseconds(300))
                }
            } while true
            return .ok
        }
    }

    /// `kmsd audit export`.
    struct Export: Verb {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Write the whole chain as JSON lines.",
            discussion: """
                One line for each record and each checkpoint; `kmsd audit verify --file` checks it anywhere. Refuses \
                nothing and checks nothing itself. Of a chain that was rotated it is the part in audit.db; where the \
                archives are is told on standard error, and --file exports them.

                  kmsd audit export > audit.jsonl
                  kmsd audit export --file audit-archive/audit-1.db > 1.jsonl
                """)

        @OptionGroup var common: CommonOptions
        @Option(help: "An audit.db. Default: audit.db in the home directory.") var file: String?

        func work() async throws -> ExitStatus {
            let reader = try AuditReader(path: try common.chainPath(file))
            try AuditCommand.tellArchive(of: reader)
            try reader.visit { Terminal.print(exactly: $0.json) }
            return .ok
        }
    }

    /// `kmsd audit key`.
    struct Key: Verb {
        static let configuration = CommandConfiguration(
            commandName: "key",
            abstract: "Print the public half of the audit key.",
            discussion: """
                Taken from the chain if the manifest knows it, so it works beside the daemon on every token; else the \
                token is asked. Give the file to whoever checks chains and receipts: it does not change.

                  kmsd audit key > audit-public.pem
                """)

        @OptionGroup var common: CommonOptions

        private struct Report: Encodable {
            var fingerprint: String
            var pem: String
        }

        func work() async throws -> ExitStatus {
            let settings = try common.configuration()
            let manifest = try common.provisioned(settings)
            let key =
                if let key = try Self.known(settings, manifest) {
                    key
                } else {
                    try await TokenWork.withBackend(BackendConfiguration(settings, manifest: manifest)) { token in
                        try AuditPublicKey(
                            subjectPublicKeyInfo: try await token.publicKey(of: .audit).subjectPublicKeyInfo)
                    }
                }
            switch common.output {
            case .json: try Terminal.print(json: Report(fingerprint: key.fingerprint, pem: key.pem))
            case .text:
                Terminal.print(String(key.pem.dropLast()))
                Terminal.complain("sha256 \(key.fingerprint)")
            }
            return .ok
        }

        /// The key that the last checkpoint names, if it is the one that `kmsd init` pinned. The fingerprint is a SHA-256
        /// of the whole key, so the chain need not be trusted.
        private static func known(_ settings: Configuration, _ manifest: TokenManifest) throws -> AuditPublicKey? {
            let path = AuditParts.path(home: settings.home)
            guard FilePresence.exists(path), let pinned = manifest[.audit]?.fingerprint,
                let key = try AuditReader(path: path, isDatabase: true).lastKey(), key.fingerprint == pinned
            else { return nil }
            return key
        }
    }

}

extension AuditCommand {
    /// Says on standard error where the records are that a file does not have.
    static func tellArchive(of reader: AuditReader) throws {
        guard let archive = try reader.archive() else { return }
        let place = archive.path ?? archive.name + " (not here)"
        Terminal.complain(
            "The records before \(try reader.firstIndex()) are in the archive \(place) and those that it goes on from.")
    }
}

extension CommonOptions {
    /// The chain to look at.
    func chainPath(_ file: String?) throws -> String {
        if let file {
            try InputFile.check(file)
            return file
        }
        return AuditParts.path(home: try configuration().home)
    }

    /// What `kmsd init` recorded.
    func provisioned(_ settings: Configuration) throws -> TokenManifest {
        guard let manifest = try ManifestFile(home: settings.home).read() else {
            throw LostManifest.missing(settings)
        }
        return manifest
    }
}
