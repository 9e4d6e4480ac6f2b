import ArgumentParser
import BearerTokens
import Encodings
import Foundation
import KMSConfiguration
import KMSDaemon
import SecretMemory

/// `kmsd dev`.
struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev", abstract: "Helpers for trying out.", subcommands: [JWT.self, Chain.self])

    /// `kmsd dev jwt`.
    struct JWT: Verb {
        static let configuration = CommandConfiguration(
            commandName: "jwt",
            abstract: "Print a bearer token signed with the configured HS256 secret.",
            discussion: """
                Real tokens come from your own issuer. This one is for trying out: it is as good as any other for as \
                long as it lasts.

                  kmsd dev jwt --user alice --jwt-secret-file /etc/kmsd/jwt.secret
                  kmsd dev jwt --user operator --service --ttl 5m
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup(title: "Tokens") var tokens: BearerTokenOptions
        @Option(help: "Whom the token is for; 1 to 256 bytes.") var user: String
        @Option(help: "How long it lasts.") var ttl: String = "1h"
        @Flag(help: "Make a service's token, which may act for any user.") var service = false

        func work() async throws -> ExitStatus {
            guard let duration = DurationText.parse(ttl), duration >= .seconds(1), duration <= .seconds(30 * 86400)
            else {
                throw CommandFailure(.usage, code: "usage", "--ttl: expected a duration from 1s to 720h, such as 10m")
            }
            if let problem = NamingText.problem(user, limit: 256) {
                throw CommandFailure(.usage, code: "usage", "--user \(problem)")
            }
            let settings = try common.configuration(adding: tokens.flags).tokens
            guard let settings, let secret = try settings.loadSecret() else {
                throw ConfigurationError("no HS256 secret is configured; give --jwt-secret-file or KMS_JWT_SECRET_FILE")
            }
            let token = try secret.withSecret { secret in
                try BearerTokenIssuer.issue(
                    user: user, isService: service, seconds: duration.components.seconds,
                    now: Int64(Date().timeIntervalSince1970), audience: settings.audience, issuer: settings.issuer,
                    secret: secret)
            }
            switch common.output {
            case .json: try Terminal.print(json: ["jwt_token": token])
            case .text: Terminal.print(token)
            }
            return .ok
        }
    }
}
