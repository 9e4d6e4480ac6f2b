import ArgumentParser

/// `kmsd completion`.
struct CompletionCommand: ParsableCommand {
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish
    }

    static let configuration = CommandConfiguration(
        commandName: "completion",
        abstract: "Print a completion script for a shell.",
        discussion: """
              kmsd completion bash > /etc/bash_completion.d/kmsd
              kmsd completion zsh  > "${fpath[1]}/_kmsd"
              kmsd completion fish > ~/.config/fish/completions/kmsd.fish
            """)

    @Argument(help: "bash, zsh or fish.") var shell: Shell

    func run() throws {
        let kind: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        Terminal.print(KMSDCommand.completionScript(for: kind))
    }
}
