import ArgumentParser
import Encodings
import HSMBridge
import KMSConfiguration
import KMSDaemon
import TPMBridge
import Token

/// `kmsd token`.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Look at the token without using the daemon's keys.",
        subcommands: [List.self, Probe.self, Lint.self, Copy.self])

    /// `kmsd token list`.
    struct List: Verb {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the tokens that the module shows.",
            discussion: """
                Needs no PIN. Prints what to write into token-uri to name each one:

                  uri='pkcs11:?module-path=/usr/lib/softhsm/libsofthsm2.so'
                  kmsd token list --token-uri "$uri"
                """)

        @OptionGroup var common: CommonOptions

        private struct Entry: Encodable {
            var label: String
            var serial: String
            var manufacturer: String
            var model: String
            var uri: String
            /// Whether token-uri names it.
            var isConfigured: Bool
        }

        func work() async throws -> ExitStatus {
            let settings = try common.configuration()
            if settings.tpm != nil {
                throw ConfigurationError("this command is for PKCS #11 tokens; token-uri names a TPM")
            }
            guard let uri = settings.token, let module = uri.modulePath else {
                throw ConfigurationError("token-uri must at least say 'pkcs11:?module-path=/path/of/module.so'")
            }
            let entries = try await TokenInventory.tokens(
                inModule: module, initialisation: settings.moduleInitialisation
            ).map { token in
                Entry(
                    label: token.label, serial: token.serial, manufacturer: token.manufacturer, model: token.model,
                    uri: "\(TokenURI(token: token.label, serial: token.serial, modulePath: module))",
                    isConfigured: uri.matches(
                        label: token.label, serial: token.serial, manufacturer: token.manufacturer, model: token.model))
            }
            switch common.output {
            case .json: try Terminal.print(json: entries)
            case .text:
                if entries.isEmpty { Terminal.print("The module shows no token.") }
                for entry in entries {
                    // Each by itself: a line break in one would begin a line that is nobody's.
                    let names = [entry.label, entry.serial, "\(entry.manufacturer) \(entry.model)"]
                        .map { TerminalEscaping.of($0) }.joined(separator: "  ")
                    Terminal.print("\(entry.isConfigured ? "*" : " ") \(names)\n    \(entry.uri)")
                }
            }
            return .ok
        }
    }

    /// `kmsd token probe`.
    struct Probe: Verb {
        static let configuration = CommandConfiguration(
            commandName: "probe",
            abstract: "Prove what the token can do, with throw-away keys.",
            discussion: """
                Runs known-answer tests and measures rates; takes a second or more. What a token claims is not asked. \
                'absent' is a fact about the token, 'failed' is a token that claims and gives a wrong answer, and \
                'not-probed' is what could not be tried because the token made no key to try it with. A TPM must be the \
                provisioned one, in an approved state if its keys are bound to PCRs.

                With --write a token object is made of each template of `kmsd init`, looked at and destroyed, and what \
                became of each attribute is told; a token without session objects is then probed with token objects. \
                Exit code 2 if anything failed or the token lacks what `kmsd init` cannot do without, 3 if nothing \
                failed and something was not probed.
                """)

        @OptionGroup var common: CommonOptions
        @Flag(help: "Make and destroy token objects as `kmsd init` does (PKCS #11 only).") var write = false

        func work() async throws -> ExitStatus {
            let settings = try common.configuration()
            guard !write || settings.tpm == nil else {
                throw ConfigurationError("--write is for PKCS #11 tokens; token-uri names a TPM")
            }
            let writes = write
            let report =
                settings.tpm == nil
                ? try await TokenWork.with(TokenConfiguration(settings, manifest: nil)) {
                    try await $0.probe(writes: writes)
                } : try await TokenWork.withTPM(settings) { try await $0.probe() }
            switch common.output {
            case .json: try Terminal.print(json: report)
            case .text:
                Terminal.print(
                    "\(TerminalEscaping.of(report.token.label)) \(TerminalEscaping.of(report.token.serial)), "
                        + "\(report.parallelSessions) sessions at once")
                for capability in report.capabilities {
                    let rate = capability.rate.map { "  \(Int($0))/s" } ?? ""
                    let detail = capability.detail.map { "  \($0)" } ?? ""
                    Terminal.print("  \(capability.outcome.rawValue)  \(capability.name)\(rate)\(detail)")
                }
                for template in report.templates ?? [] { Self.tell(template) }
                let missing = settings.tpm == nil ? Self.missing(in: report) : []
                if !missing.isEmpty {
                    Terminal.print("kmsd cannot use this token: it lacks \(missing.joined(separator: ", "))")
                }
            }
            let status = Self.status(of: report)
            // A TPM seals otherwise.
            return settings.tpm == nil && !Self.missing(in: report).isEmpty ? .findings : status
        }

        private static func tell(_ template: TemplateReport) {
            let roles = template.roles.isEmpty ? "what the token keeps" : template.roles.joined(separator: ", ")
            let detail = template.detail.map { "  \($0)" } ?? ""
            Terminal.print("  \(template.outcome.rawValue)  token object \(template.name) (\(roles))\(detail)")
            for attribute in template.attributes where attribute.outcome != .kept {
                let detail = attribute.detail.map { " (\($0))" } ?? ""
                Terminal.print("      \(attribute.outcome.rawValue)  \(attribute.name)\(detail)")
            }
        }

        /// Without these `kmsd init` makes no keys.
        private static let musts = ["root-lock", "ecdsa-p256", "result-key"]

        private static func missing(in report: ProbeReport) -> [String] {
            musts.filter { name in
                report.capabilities.contains { $0.name.utf8.elementsEqual(name.utf8) && $0.outcome == .absent }
            }
        }

        private static func status(of report: ProbeReport) -> ExitStatus {
            let templates = report.templates ?? []
            let hasFailed =
                report.capabilities.contains { $0.outcome == .failed } || templates.contains { $0.outcome == .failed }
            // What keeps the audit chain from being put back is a data object on the token.
            let forgets = templates.contains { $0.name == "data" && $0.outcome != .ok }
            // Beside a root lock of AES-GCM only: `kmsd init` does without on other tokens.
            let needsWrapping = report["root-lock"]?.detail == KeyKind.aes256Seal.rawValue
            // A role without any template that the token takes keeps `kmsd init` from working.
            let isUnfit =
                !templates.isEmpty
                && KeyRole.allCases.contains { role in
                    (role != .residentWrap || needsWrapping)
                        && !templates.contains { $0.roles.contains(role.rawValue) && $0.outcome != .absent }
                }
            if hasFailed || isUnfit || forgets { return .findings }
            return report.capabilities.contains { $0.outcome == .notProbed } ? .incomplete : .ok
        }
    }

    /// `kmsd token lint`.
    struct Lint: Verb {
        static let configuration = CommandConfiguration(
            commandName: "lint",
            abstract: "Grade every object on the token.",
            discussion: """
                Names each object whose attributes allow more than its role needs, and each key of the manifest that \
                is missing or altered. Exit code 2 if anything is found.
                """)

        @OptionGroup var common: CommonOptions

        func work() async throws -> ExitStatus {
            let settings = try common.configuration()
            let manifest = try ManifestFile(home: settings.home).read()
            let report = try await TokenWork.with(TokenConfiguration(settings, manifest: nil)) {
                try await $0.lint(against: manifest)
            }
            switch common.output {
            case .json: try Terminal.print(json: report)
            case .text: Self.tell(report, instance: manifest?.instance)
            }
            return report.grade == .ok ? .ok : .findings
        }

        /// Whose an object is, by its label; nothing for the daemon's own.
        private static func owner(of object: LintReport.Object, instance: String?) -> String {
            let parts = object.label.splitExactly(at: "/", maxSplits: 1, omittingEmpty: true)
            guard TokenObjects.isOfAnyDaemon(object.label) else { return " (not kmsd's)" }
            if TokenObjects.isOfAProbe(object.label) { return " (left by an interrupted probe)" }
            if TokenObjects.isOfACopy(object.label) { return " (left by an interrupted copy)" }
            guard parts.count == 2 else { return "" }
            return instance.map { parts[1].startsExactly(with: $0 + "/") } == true ? "" : " (another kmsd's)"
        }

        private static func tell(_ report: LintReport, instance: String?) {
            Terminal.print(
                "\(TerminalEscaping.of(report.token.label)) \(TerminalEscaping.of(report.token.serial)): "
                    + "\(report.objects.count) objects, "
                    + report.grade.rawValue
            )
            for object in report.objects {
                let owner = owner(of: object, instance: instance)
                // Whoever may write to the token chose it; a line break in it could call the rest of the token good.
                let label = TerminalEscaping.of(object.label)
                Terminal.print("  \(object.grade.rawValue)  \(object.objectClass) '\(label)' \(object.id)\(owner)")
                for finding in object.findings { Terminal.print("      \(finding.attribute): \(finding.message)") }
            }
            for finding in report.findings {
                Terminal.print("  \(finding.grade.rawValue)  \(finding.attribute): \(finding.message)")
            }
        }
    }
}
