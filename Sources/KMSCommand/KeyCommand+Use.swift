import ArgumentParser
import Encodings
import KMSDaemon

/// What is signed or verified: a file, standard input, or a text.
struct MessageOptions: ParsableArguments {
    /// What a server takes at most, whatever its max-body is.
    static let longest = 48 << 20

    @Option(help: "The message is this file's content; - for standard input.") var file: String?
    @Option(help: "The message is this text, in UTF-8.") var message: String?

    /// In base64, as the API wants it.
    func encoded() throws -> String {
        switch (file, message) {
        case (let path?, nil):
            return Base64.encode(
                path == "-"
                    ? try InputFile.standardInput(upTo: Self.longest) : try InputFile.read(path, upTo: Self.longest))
        case (nil, let text?): return Base64.encode(Array(text.utf8))
        default: throw CommandFailure(.usage, code: "usage", "give the message with --file or --message, one of them")
        }
    }
}

extension KeyCommand {
    /// `kmsd key sign`.
    struct Sign: Verb {
        static let configuration = CommandConfiguration(
            commandName: "sign",
            abstract: "Sign a message with a key of a running server.",
            discussion: """
                Prints the signature in base64, in the form that the key's type has.

                  kmsd key sign --file release.tar.gz "$KEY_URL" > release.sig
                  printf hello | kmsd key sign --file - "$KEY_URL"
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup(title: "Server") var remote: RemoteOptions
        @OptionGroup(title: "Message") var message: MessageOptions
        @OptionGroup var reference: KeyReference

        func work() async throws -> ExitStatus {
            let path = try reference.path()
            let answer = try await remote.call("POST", path + "/sign", ["message": try message.encoded()])
            guard let signature = answer["signature"]?.text else {
                throw CommandFailure(.failed, code: "answer", "the server's answer holds no signature")
            }
            switch common.output {
            case .json: try Terminal.print(json: ["signature": signature])
            case .text: Terminal.print(TerminalEscaping.of(signature))
            }
            return .ok
        }
    }

    /// `kmsd key verify`.
    struct Verify: Verb {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Verify a signature with a key of a running server.",
            discussion: """
                Says whether it is valid; exit code 2 if it is not. For a signature that somebody else must check, give \
                them what `kmsd key export` prints.

                  kmsd key verify --file release.tgz --signature "$(cat sig)" "$KEY_URL"
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup(title: "Server") var remote: RemoteOptions
        @OptionGroup(title: "Message") var message: MessageOptions
        @Option(help: "The signature in base64, as `key sign` prints it.") var signature: String
        @OptionGroup var reference: KeyReference

        func work() async throws -> ExitStatus {
            let path = try reference.path()
            guard let bytes = Base64.decode(signature, .either), !bytes.isEmpty else {
                throw CommandFailure(.usage, code: "usage", "--signature: expected base64")
            }
            let isValid: Bool
            do {
                try await remote.call(
                    "POST", path + "/verify",
                    ["message": try message.encoded(), "signature": Base64.encode(bytes)])
                isValid = true
            } catch let failure as CommandFailure
                where failure.code == "refused" && failure.description.endsExactly(with: Self.refusal)
            {
                isValid = false
            }
            switch common.output {
            case .json: try Terminal.print(json: ["valid": isValid])
            case .text:
                Terminal.print(isValid ? "valid" : "not valid: the key did not make this signature of this message")
            }
            return isValid ? .ok : .findings
        }

        /// What the server says of a signature that was read and is not the key's.
        private static let refusal = "400: verify: The signature does not verify."
    }
}
