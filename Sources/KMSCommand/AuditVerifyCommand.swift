import ArgumentParser
import Audit
import Foundation
import KMSConfiguration
import KMSDaemon
import Token

extension AuditCommand {
    /// `kmsd audit verify`.
    struct Verify: Verb {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Check the whole chain, and name the first bad record.",
            discussion: """
                Needs neither the daemon nor the token. The audit key is the one of --key, else of manifest.json in \
                the home directory, else the one that the chain itself names, which proves less.

                What operators took for the one to go on with, with `kmsd audit adopt` and `adopt-database`, is listed: \
                it is no fault, but something was given up there.

                Records behind the last checkpoint could be cut off, and an older copy put in place of the whole, \
                without a trace in the file. A head that was kept elsewhere tells: the token's (--token), or a file's.

                What `kmsd audit rotate` put into archives is checked with it, as one chain: the archives that audit.db \
                names, or those of --archive, wherever they are. Archives without --file are checked on their own; \
                --part checks a file alone, from where it begins.

                  kmsd audit verify --archive /mnt/cold/audit-*.db --file ~/.kmsd/audit.db
                  kmsd audit verify --archive audit-000000000001.db --key audit-public.pem
                  kmsd audit verify --part

                  kmsd audit verify --write-head /mnt/elsewhere/head.json
                  kmsd audit verify --expect-head /mnt/elsewhere/head.json
                  kmsd audit verify --file audit.jsonl --key audit-public.pem

                Exit code 2 if anything is wrong.
                """)

        @OptionGroup var common: CommonOptions
        @Option(help: "An audit.db or an export. Default: audit.db in the home directory.") var file: String?
        @Option(parsing: .upToNextOption, help: "Archives, or exports of archives, in any order.")
        var archive: [String] = []
        @Flag(help: "Take a file that begins with the last record of an earlier part, and check nothing before it.")
        var part = false
        @Option(help: "The audit key's public half, as `kmsd audit key` prints it.") var key: String?
        @Option(help: "A head that the chain must have had.") var expectHead: String?
        @Option(help: "Write the head that was found to this file, if nothing is wrong.") var writeHead: String?
        @Flag(help: "Ask the token for the head it remembers.") var token = false

        func work() async throws -> ExitStatus {
            var expected: [AuditHead] = []
            if let expectHead {
                expected.append(
                    try AuditHeadFile.head(in: try InputFile.read(expectHead, upTo: InputFile.longestDocument)))
            }
            // Before the chain is read: it only grows.
            let counted = try await token ? remembered() : nil
            if let head = counted?.head { expected.append(head) }
            let (reader, earlier) = try chain()
            var report = try reader.verify(
                fingerprint: try fingerprint(), expected: expected, earlier: earlier,
                isArchive: !archive.isEmpty && file == nil)
            // Asked again if the chain goes further: the daemon may have gone on meanwhile.
            if report.finding == nil, let counted, counted.counter < report.tokenCounter {
                report.expect(tokenCounter: try await remembered().counter)
            }
            switch common.output {
            case .json: try Terminal.print(json: report)
            case .text: Self.tell(report)
            }
            if report.finding == nil, let writeHead, let head = report.head {
                do {
                    try Data(head.json.utf8).write(to: URL(fileURLWithPath: writeHead), options: .atomic)
                } catch {
                    throw CommandFailure(
                        .failed, code: "file", "Could not write '\(writeHead)': \(PlainReason.of(error)).")
                }
            }
            return report.finding == nil ? .ok : .findings
        }

        /// What to check, and what before it.
        private func chain() throws -> (AuditReader, AuditReader.Earlier) {
            guard !archive.isEmpty else {
                return (try AuditReader(path: try common.chainPath(file)), part ? .none : .found)
            }
            for path in archive { try InputFile.check(path) }
            if let file { return (try AuditReader(path: try common.chainPath(file)), .files(archive, isPart: part)) }
            let placed = try archive.map { (path: $0, first: try AuditReader(path: $0).firstIndex()) }
                .sorted { $0.first < $1.first }.map(\.path)
            return (try AuditReader(path: placed[placed.count - 1]), .files(placed.dropLast(), isPart: true))
        }

        private func fingerprint() throws -> String? {
            if let key {
                return try AuditPublicKey(
                    pem: String(decoding: InputFile.read(key, upTo: InputFile.longestDocument), as: UTF8.self)
                ).fingerprint
            }
            guard let home = try? common.configuration().home else { return nil }
            return try ManifestFile(home: home).read()?[.audit]?.fingerprint
        }

        private func remembered() async throws -> (head: AuditHead?, counter: UInt64) {
            let settings = try common.configuration()
            let manifest = try common.provisioned(settings)
            return try await TokenWork.withBackend(BackendConfiguration(settings, manifest: manifest)) { token in
                try await AuditNotary.remembered(by: token)
            }
        }

        private static func tell(_ report: AuditReport) {
            let key = report.keyFingerprint.isEmpty ? "none: nothing is signed" : report.keyFingerprint
            Terminal.print("audit key    \(TerminalEscaping.of(key))")
            for archive in report.archives {
                Terminal.print(
                    "archive      \(TerminalEscaping.of(archive.file)): records \(archive.firstRecord) to "
                        + "\(archive.lastRecord)")
            }
            Terminal.print(
                report.firstRecord > 1
                    ? "records      \(report.firstRecord) to \(report.records) in order"
                    : "records      \(report.records) in order")
            Terminal.print("checkpoints  \(report.checkpoints), the last at record \(report.signedRecords)")
            Terminal.print("unsigned     \(report.records - min(report.signedRecords, report.records)) after it")
            for change in report.handovers {
                Terminal.print(
                    "handed over  record \(change.index), \(AuditText.time(change.time)): from \(change.from) to the token "
                        + "\(AuditText.word(change.token))")
            }
            for adoption in report.adoptions {
                let facts = adoption.details.sorted { $0.key < $1.key }.map { "\($0.key)=\(AuditText.word($0.value))" }
                Terminal.print(
                    "ADOPTED      record \(adoption.index), \(AuditText.time(adoption.time)): \(adoption.operation) "
                        + "\(AuditText.word(adoption.subject)) by \(AuditText.word(adoption.actor)) "
                        + facts.joined(separator: " "))
            }
            if let head = report.head { Terminal.print("head         \(head.hash), epoch \(head.epoch)") }
            if let finding = report.finding {
                Terminal.print("BAD          record \(finding.index): \(finding.code.rawValue)")
                Terminal.print("             \(TerminalEscaping.of(finding.message))")
            } else {
                Terminal.print("ok")
            }
        }
    }
}
