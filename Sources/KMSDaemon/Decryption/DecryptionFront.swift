import ChainNodes
import Decryption
import DecryptionAPI
import DecryptionStore
import LightClient
import Logging
import ServiceLifecycle

/// Follows the chain, serves the front, and closes the store at the end.
struct DecryptionFront: Service {
    let parts: DecryptionParts
    /// Nil for plain HTTP/2.
    let certificates: ListenerCertificates?
    let connections: ConnectionTable
    let meters: FrontMeters
    let logger: Logger

    func run() async throws {
        do { try await serve() } catch {
            // What is kept is whole on the disk; closing tells only that nobody writes any more.
            try? parts.store.close()
            throw error
        }
        try parts.store.close()
    }

    private func serve() async throws {
        var configuration = parts.server
        if let certificates { configuration.tls = { certificates.context } }
        configuration.keeper = FrontConnections(table: connections)
        let server = DecryptionServer(
            configuration, service: parts.service, attesting: parts.attesting, meters: meters)
        let (following, logger, meters) = (parts.following, logger, meters)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let follower = Task {
                await following.run { problem in
                    if let problem {
                        logger.error("the light client serves no new headers", metadata: ["error": "\(problem)"])
                    } else {
                        logger.notice("the light client follows its chain")
                    }
                } stepped: { problem in
                    let latest = try? await following.headers.latest().get()
                    meters.stepped(height: latest?.height, failure: problem?.code.rawValue)
                }
            }
            group.addTask {
                let port = try await server.port
                logger.notice("the decryption API listens", metadata: ["port": "\(port)"])
            }
            group.addTask {
                try await withGracefulShutdownHandler {
                    try await server.run()
                } onGracefulShutdown: {
                    server.stop()
                }
            }
            defer { follower.cancel() }
            try await group.waitForAll()
            follower.cancel()
            await follower.value
        }
    }
}
