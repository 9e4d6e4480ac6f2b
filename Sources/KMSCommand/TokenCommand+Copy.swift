import ArgumentParser
import HSMBridge
import KMSConfiguration
import KMSDaemon
import Synchronization
import Token

extension TokenCommand {
    /// `kmsd token copy`.
    struct Copy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "copy",
            abstract: "Copy keys and other objects from one PKCS #11 token to another.",
            discussion: """
                For objects that are not kmsd's own. Keys travel wrapped under a key that both tokens make for this copy; \
                each is proved on both sides by use, and what arrives as another key or weaker is destroyed. Nothing on \
                the target is replaced, nothing on the source is changed. What cannot move is named with the reason.

                  old='pkcs11:token=old?module-path=/usr/lib/old.so'
                  from="$old&pin-source=file:/etc/old.pin"
                  to="${old//old/new}&pin-source=file:/etc/new.pin"
                  kmsd token copy --from "$from" --to "$to" --dry-run
                  kmsd token copy --from "$from" --to "$to" --match 'object=web;type=private'

                A copy that was interrupted is run again: what arrived is compared and left, and the rest goes on. Let one \
                copy at a time work on a token. Exit code 2 if an object that was chosen is not on the target.
                """)

        @Option(help: "The source: 'pkcs11:token=…?module-path=…&pin-source=file:/path'.") var from: String
        @Option(help: "The target, in the same form.") var to: String
        @Option(help: "The file with the string that the source's module wants at its start, or credential:NAME.")
        var fromModuleInitFile: String?
        @Option(help: "The same for the target's module.") var toModuleInitFile: String?
        @Option(help: "Objects to copy: 'object=LABEL;id=%01;type=private'; may be repeated (default: all).")
        var match: [String] = []
        @Flag(help: "Rehearse: say what would become of each object, and write nothing.") var dryRun = false
        @Option(help: "text or json.") var output: OutputFormat = .text
        @OptionGroup var credentials: CredentialOptions

        func run() async throws {
            let status: ExitStatus
            do {
                status = try await work()
            } catch {
                let failure = CommandFailure(error)
                if output == .json { try Terminal.print(json: FailureReport(failure)) }
                Terminal.complain("kmsd: \(failure)")
                throw ExitCode(failure.status.rawValue)
            }
            if status != .ok { throw ExitCode(status.rawValue) }
        }

        private func work() async throws -> ExitStatus {
            try credentials.use()
            let source = try Self.endpoint("--from", from, fromModuleInitFile)
            let target = try Self.endpoint("--to", to, toModuleInitFile)
            let matches = try match.map { text in try ObjectMatch(parsing: text) }
            let bar = CopyBar(isShown: output == .text)
            let report = try await TokenCopy.run(
                from: source, to: target, matching: matches, isDryRun: dryRun, progress: { bar.reach($0, of: $1) })
            bar.finish()
            switch output {
            case .json: try Terminal.print(json: report)
            case .text: Self.tell(report)
            }
            if let stop = report.stopped {
                Terminal.complain("kmsd: The copy ended early. \(stop.message)")
                return CommandFailure(HSMError(HSMError.Code(rawValue: stop.code), stop.message)).status
            }
            return report.isComplete ? .ok : .findings
        }

        /// Checks what can be checked before a module is loaded.
        private static func endpoint(
            _ option: String, _ text: String, _ initialisation: String?
        ) throws -> TokenCopy.Endpoint {
            let uri: TokenURI
            do throws(HSMError) {
                uri = try TokenURI(parsing: text)
            } catch {
                throw ConfigurationError("\(option): \(error.message)")
            }
            guard uri.object == nil, uri.id == nil, uri.type == nil else {
                throw ConfigurationError("\(option) names a token; objects are chosen by --match")
            }
            guard uri.modulePath != nil else { throw ConfigurationError("\(option) lacks 'module-path='") }
            guard uri.token != nil || uri.serial != nil else {
                throw ConfigurationError("\(option) names no token; add 'token=' or 'serial='")
            }
            guard let pin = uri.pinSource else {
                throw ConfigurationError("\(option) lacks 'pin-source=file:/path' or 'pin-source=credential:NAME'")
            }
            do throws(HSMError) {
                let source = try PINSource(parsing: pin)
                _ = try source.loadLine()
                return TokenCopy.Endpoint(
                    uri: uri, pinSource: source,
                    moduleInitialisation: try initialisation.map { text throws(HSMError) in try PINSource(parsing: text)
                    })
            } catch {
                throw HSMError(error.code, "\(option): \(error.message)", cause: error.cause)
            }
        }

        private static func tell(_ report: TokenCopyReport) {
            func name(_ token: TokenIdentity) -> String {
                "'\(TerminalEscaping.of(token.label))' \(TerminalEscaping.of(token.serial))"
            }
            Terminal.print("from \(name(report.from))\nto   \(name(report.to))")
            if let transport = report.transport { Terminal.print("keys travel under \(transport)") }
            if report.leftovers > 0 {
                Terminal.print("\(report.leftovers) left by an interrupted copy\(report.isDryRun ? "" : ", removed")")
            }
            for entry in report.objects { tell(entry) }
            var counts: [String] = []
            for outcome in [TokenCopyReport.Outcome.copied, .wouldCopy, .present, .stays, .refused, .notTried] {
                let count = report.objects.count { $0.outcome == outcome }
                if count > 0 { counts.append("\(count) \(outcome.rawValue)") }
            }
            Terminal.print(counts.isEmpty ? "The source shows no objects." : counts.joined(separator: ", "))
        }

        private static func tell(_ entry: TokenCopyReport.Entry) {
            let kind = entry.kind.map { " \($0)" } ?? ""
            // Whoever may write to the token chose the label.
            Terminal.print(
                "  \(entry.outcome.rawValue)  \(entry.objectClass)\(kind) '\(TerminalEscaping.of(entry.label))' \(entry.id)"
            )
            for (word, text) in [
                ("by", entry.route), ("proof", entry.proof), ("why", entry.detail), ("instead", entry.remedy),
            ] {
                if let text { Terminal.print("      \(word): \(TerminalEscaping.of(text))") }
            }
            for note in entry.notes { Terminal.print("      note: \(note)") }
        }
    }
}

/// The bar of a copy, which is told of from another thread.
private final class CopyBar: Sendable {
    private let progress: Mutex<ImportProgress?>
    private let isShown: Bool

    init(isShown: Bool) {
        self.isShown = isShown
        progress = Mutex(nil)
    }

    func reach(_ done: Int, of total: Int) {
        guard isShown else { return }
        progress.withLock { progress in
            var bar = progress ?? ImportProgress(total: total)
            bar.reach(done)
            progress = bar
        }
    }

    func finish() { progress.withLock { $0?.finish() } }
}
