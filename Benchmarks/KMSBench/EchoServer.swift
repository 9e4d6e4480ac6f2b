import ArgumentParser
import Hummingbird
import Logging
import NIOCore

/// Serves `POST /echo`: decodes a JSON object, encodes it again, nothing else.
///
/// It is the plain Codable way of the framework the daemon uses, so a route of the daemon can be at most this fast
/// unless it handles JSON better than the framework does.
struct EchoServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-server",
        abstract: "JSON echo with a body shaped like a sign request.",
        discussion: "Prints `listening PORT` on standard output once it accepts connections; SIGTERM ends it.")

    @Option(help: "Port on 127.0.0.1; 0 lets the kernel choose.")
    var port = 0

    func run() async throws {
        var logger = Logger(label: "kmsbench.echo")
        logger.logLevel = .error
        let router = Router()
        router.post("echo") { request, context -> SignLikeBody in
            try await request.decode(as: SignLikeBody.self, context: context)
        }
        let application = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { channel in StandardOutput.line("listening \(channel.localAddress?.port ?? 0)") },
            logger: logger)
        try await application.runService()
    }
}

/// As many members as a sign request: one string.
private struct SignLikeBody: ResponseCodable {
    let message: String
}
