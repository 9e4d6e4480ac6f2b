import ArgumentParser
import Audit
import Glibc
import HSMBridge

/// `kmsd audit`.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Look at the record of every decision, and check it.",
        subcommands: [Tail.self, Verify.self, Export.self, Key.self, Adopt.self, AdoptDatabase.self])

    /// `kmsd audit tail`.
    struct Tail: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Show the last records.",
            discussion: """
                Also while the daemon runs. Control characters in other people's words are shown as \\u{...}. JSON is \
                one line for each record, in the form of `kmsd audit export`.

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
            repeat {
                for line in try reader.records(from: next, limit: 1000) {
                    guard case .record(let record, _) = line else { continue }
                    Terminal.print(common.output == .json ? line.json : AuditText.line(record))
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
            abstract: "Write the whole chain as JSON lines.",
            discussion: """
                One line for each record and each checkpoint; `kmsd audit verify --file` checks it anywhere. Refuses \
                nothing and checks nothing itself.

                  kmsd audit export > audit.jsonl
                """)

        @OptionGroup var common: CommonOptions
        @Option(help: "An audit.db. Default: audit.db in the home directory.") var file: String?

        func work() async throws -> ExitStatus {
            try AuditReader(path: try common.chainPath(file)).visit { Terminal.print($0.json) }
            return .ok
        }
    }

    /// `kmsd audit key`.
    struct Key: Verb {
        static let configuration = CommandConfiguration(
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
                let key = try AuditReader(path: path).lastKey(), key.fingerprint == pinned
            else { return nil }
            return key
        }
    }

    /// `kmsd audit adopt`.
    struct Adopt: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Go on with a chain that is not the one the token remembers.",
            discussion: """
                After audit.db was lost or restored from a backup, or the token's memory was, the daemon allows nothing, \
                because revocations may be missing. If that is understood, and each missing revocation made again, stop \
                the daemon and:

                  kmsd audit adopt --yes

                The act is recorded in the chain.
                """)

        @OptionGroup var common: CommonOptions
        @Flag(help: "Revocations that this chain does not have are given up.") var yes = false

        func validate() throws {
            guard yes else { throw ValidationError("say --yes to give up revocations that this chain does not have") }
        }

        func work() async throws -> ExitStatus {
            let settings = try common.configuration()
            let home = try HomeDirectory(taking: settings.home)
            let manifest = try common.provisioned(settings)
            let index = try await TokenWork.withBackend(BackendConfiguration(settings, manifest: manifest)) { token in
                let parts = try AuditParts(home: home.path, token: token, manifest: manifest)
                guard let notary = parts.notary else {
                    throw CommandFailure(
                        .failed, code: "audit-unsigned", "This chain was begun without a token; no token remembers it.")
                }
                try await notary.adopt(by: "uid:\(getuid())")
                await notary.finish()
                let head = parts.chain.head
                await parts.chain.close()
                return head.position.index
            }
            Terminal.print("The token remembers this chain now, up to record \(index).")
            withExtendedLifetime(home) {}
            return .ok
        }
    }
}

extension CommonOptions {
    /// The chain to look at.
    func chainPath(_ file: String?) throws -> String {
        if let file { return file }
        return AuditParts.path(home: try configuration().home)
    }

    /// What `kmsd init` recorded.
    func provisioned(_ settings: Configuration) throws -> TokenManifest {
        guard let manifest = try ManifestFile(home: settings.home).read() else {
            throw ConfigurationError("'\(settings.manifestPath)' is not there: run `kmsd init` once")
        }
        return manifest
    }
}
