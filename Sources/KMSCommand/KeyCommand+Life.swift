import ArgumentParser
import Encodings
import KMSDaemon

/// One key at a server.
struct KeyTarget: ParsableArguments {
    @OptionGroup var common: CommonOptions
    @OptionGroup(title: "Server") var remote: RemoteOptions
    @OptionGroup var reference: KeyReference
}

/// A verb that asks a server one thing of one key, and shows the key as it is afterwards.
protocol KeyVerb: Verb {
    var target: KeyTarget { get }
    /// What is sent: a method, and what follows the key's path.
    func request() throws -> (method: String, suffix: String)
}

extension KeyVerb {
    var common: CommonOptions { target.common }

    func work() async throws -> ExitStatus {
        let (method, suffix) = try request()
        let key = try await target.remote.call(method, try target.reference.path() + suffix)
        switch common.output {
        case .json: try Terminal.print(json: ShownJSON(key))
        case .text:
            var line = key.line("id", "type", "state", "provenance", "created_at")
            if let date = key["destroy_at"]?.text { line += "  destroyed at \(TerminalEscaping.of(date))" }
            Terminal.print(line)
        }
        return .ok
    }
}

extension KeyCommand {
    /// `kmsd key show`.
    struct Show: KeyVerb {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a key: its type, state and origin, and no material.",
            discussion: """
                  kmsd key show "$KEY_URL"
                  kmsd key show --keystore c9o5vqkv5ig3jl0q9m3g abc
                """)

        @OptionGroup var target: KeyTarget

        func request() -> (method: String, suffix: String) { ("GET", "") }
    }

    /// `kmsd key disable`.
    struct Disable: KeyVerb {
        static let configuration = CommandConfiguration(
            commandName: "disable",
            abstract: "Stop a key from being used; `key enable` takes it back.",
            discussion: """
                The daemon refuses every use from the moment it answers. Nothing is erased.

                  kmsd key disable --keystore c9o5vqkv5ig3jl0q9m3g abc
                """)

        @OptionGroup var target: KeyTarget

        func request() -> (method: String, suffix: String) { ("POST", "/disable") }
    }

    /// `kmsd key enable`.
    struct Enable: KeyVerb {
        static let configuration = CommandConfiguration(
            commandName: "enable",
            abstract: "Let a disabled key be used again.",
            discussion: """
                A restored key is disabled until then.

                  kmsd key enable --keystore c9o5vqkv5ig3jl0q9m3g abc
                """)

        @OptionGroup var target: KeyTarget

        func request() -> (method: String, suffix: String) { ("POST", "/enable") }
    }

    /// `kmsd key destroy`.
    struct Destroy: KeyVerb {
        static let configuration = CommandConfiguration(
            commandName: "destroy",
            abstract: "Destroy a key when its grace is over; `key restore` takes it back until then.",
            discussion: """
                The key cannot be used from the moment the daemon answers. With --grace 0s its material is erased at \
                once and for good; without --grace the server's destroy-grace counts. Its id stays taken.

                  kmsd key destroy --keystore c9o5vqkv5ig3jl0q9m3g --grace 72h abc
                """)

        @OptionGroup var target: KeyTarget
        @Option(help: "How long it can be restored, such as 72h; 0s destroys at once.") var grace: String?

        func request() throws -> (method: String, suffix: String) { ("DELETE", try GraceText.query(grace)) }
    }

    /// `kmsd key restore`.
    struct Restore: KeyVerb {
        static let configuration = CommandConfiguration(
            commandName: "restore",
            abstract: "Take back a destruction whose grace is not over.",
            discussion: """
                The key is disabled afterwards; `key enable` lets it be used again.

                  kmsd key restore --keystore c9o5vqkv5ig3jl0q9m3g abc
                """)

        @OptionGroup var target: KeyTarget

        func request() -> (method: String, suffix: String) { ("POST", "/restore") }
    }
}
