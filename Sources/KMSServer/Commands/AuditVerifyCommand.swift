import ArgumentParser
import Audit
import Foundation
import HSMBridge

extension AuditCommand {
    /// `kmsd audit verify`.
    struct Verify: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Check the whole chain, and name the first bad record.",
            discussion: """
                Needs neither the daemon nor the token. The audit key is the one of --key, else of manifest.json in \
                the home directory, else the one that the chain itself names, which proves less.

                Records behind the last checkpoint could be cut off, and an older copy put in place of the whole, \
                without a trace in the file. A head that was kept elsewhere tells: the token's (--token), or a file's.

                  kmsd audit verify --write-head /mnt/elsewhere/head.json
                  kmsd audit verify --expect-head /mnt/elsewhere/head.json
                  kmsd audit verify --file audit.jsonl --key audit-public.pem

                Exit code 2 if anything is wrong.
                """)

        @OptionGroup var common: CommonOptions
        @Option(help: "An audit.db or an export. Default: audit.db in the home directory.") var file: String?
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
            var report = try AuditReader(path: try common.chainPath(file)).verify(
                fingerprint: try fingerprint(), expected: expected)
            // Asked again if the chain tells more: the daemon may have gone on meanwhile.
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
                        .failed, code: "file", "Could not write '\(writeHead)': \(error.localizedDescription)")
                }
            }
            return report.finding == nil ? .ok : .findings
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
            Terminal.print("audit key    \(HarmlessText.of(key))")
            Terminal.print("records      \(report.records) in order")
            Terminal.print("checkpoints  \(report.checkpoints), the last at record \(report.signedRecords)")
            Terminal.print("unsigned     \(report.records - min(report.signedRecords, report.records)) after it")
            if let head = report.head { Terminal.print("head         \(head.hash), epoch \(head.epoch)") }
            if let finding = report.finding {
                Terminal.print("BAD          record \(finding.index): \(finding.code.rawValue)")
                Terminal.print("             \(HarmlessText.of(finding.message))")
            } else {
                Terminal.print("ok")
            }
        }
    }
}
