import ArgumentParser
import Encodings
import KMSDaemon

extension KeyCommand {
    /// `kmsd key export`.
    struct Export: Verb {
        enum Format: String, ExpressibleByArgument, CaseIterable {
            case pem, jwk, raw
        }

        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Print a key's public half as PEM or JWK.",
            discussion: """
                PEM is a SubjectPublicKeyInfo, which OpenSSL reads; JWK is RFC 7517; raw is the API's own form in \
                base64. Secret keys have no public half: 1. BLS12-381 keys have no form that programs agree on but raw.

                  kmsd key export --format pem "$KEY_URL" > public.pem
                  openssl pkey -pubin -in public.pem -text
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup(title: "Server") var remote: RemoteOptions
        @Option(help: "pem, jwk or raw.") var format: Format = .pem
        @OptionGroup var reference: KeyReference

        private struct Report: Encodable {
            var type: String
            var pem: String?
            var jwk: [String: String]?  // exact: names of settings and members, this program's own.
            var raw: String?
        }

        func work() async throws -> ExitStatus {
            let path = try reference.path()
            let answer = try await remote.call("GET", path + "/export")
            guard let text = answer["public_key"]?.text, let bytes = Base64.decode(text, .either),
                let type = answer["key_type"]?.text
            else { throw CommandFailure(.failed, code: "answer", "the server's answer holds no public key") }
            var report = Report(type: type)
            switch format {
            case .raw: report.raw = text
            case .pem: report.pem = try PublicKeyText(exported: bytes, type: type).pem
            case .jwk:
                let name = path.splitExactly(at: "/", omittingEmpty: true).last.map(String.init)
                report.jwk = try PublicKeyText(exported: bytes, type: type).jwk(named: name)
            }
            switch (common.output, report.jwk) {
            case (.json, _): try Terminal.print(json: report)
            // A JWK is JSON whatever is asked for.
            case (.text, let jwk?): try Terminal.print(json: jwk)
            case (.text, nil): Terminal.print(TerminalEscaping.of(lines: report.pem ?? report.raw ?? ""))
            }
            return .ok
        }
    }
}

extension TerminalEscaping {
    /// Of several lines, all of which may be there.
    fileprivate static func of(lines text: String) -> String {
        text.splitExactly(at: "\n", omittingEmpty: true).map { of(String($0)) }.joined(separator: "\n")
    }
}
