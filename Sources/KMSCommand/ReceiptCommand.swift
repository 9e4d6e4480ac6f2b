import ArgumentParser
import Audit
import KMSDaemon

/// `kmsd receipt`.
struct ReceiptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipt", abstract: "Check receipts.", subcommands: [Verify.self])

    /// `kmsd receipt verify`.
    struct Verify: Verb {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Check a receipt with the audit key's public half.",
            discussion: """
                Needs neither the daemon nor the token. With --chain it also looks whether the chain has the record \
                that the receipt names; check the chain itself with `kmsd audit verify`. Exit code 2 if anything is \
                wrong.

                  kmsd receipt verify --key audit-public.pem receipt.json
                """)

        @OptionGroup var common: CommonOptions
        @Option(help: "The audit key's public half, as `kmsd audit key` prints it.") var key: String
        @Option(help: "An audit.db or an export that must have the receipt's record.") var chain: String?
        @Argument(help: "The receipt.") var file: String

        private struct Report: Encodable {
            var isGood: Bool
            var message: String
            var subject: String
            var restrictions: [String]
            var index: UInt64
            var time: String
        }

        func work() async throws -> ExitStatus {
            let key = try AuditPublicKey(
                pem: String(decoding: InputFile.read(key, upTo: InputFile.longestDocument), as: UTF8.self))
            let receipt = try Receipt(json: InputFile.read(file, upTo: InputFile.longestDocument))
            let problem = try problem(receipt, key)
            let report = Report(
                isGood: problem == nil, message: problem ?? "ok", subject: receipt.subject,
                restrictions: receipt.restrictions, index: receipt.record.index, time: AuditText.time(receipt.time))
            switch common.output {
            case .json: try Terminal.print(json: report)
            case .text:
                Terminal.print("subject       \(TerminalEscaping.of(report.subject))")
                for restriction in report.restrictions {
                    Terminal.print("restriction   \(TerminalEscaping.of(restriction))")
                }
                Terminal.print("record        \(report.index), \(report.time)")
                Terminal.print(report.isGood ? "ok" : "BAD           \(report.message)")
            }
            return problem == nil ? .ok : .findings
        }

        /// What is wrong; nil if nothing is.
        private func problem(_ receipt: Receipt, _ key: AuditPublicKey) throws -> String? {
            guard receipt.verifies(with: key) else { return "The receipt was not signed by this audit key." }
            guard let chain else { return nil }
            try InputFile.check(chain)
            let reader = try AuditReader(path: chain)
            if receipt.record.index < (try reader.firstIndex()), let archive = try reader.archive() {
                return
                    "The record that the receipt names is in an archive, '\(archive.name)' or one before it: give that "
                    + "with --chain."
            }
            let line = try reader.records(from: receipt.record.index, limit: 1).first
            guard case .record(let record, let hash) = line, record.index == receipt.record.index,
                hash == receipt.record.hash
            else { return "The chain does not have the record that the receipt names." }
            return nil
        }
    }
}
