import OutboundHTTP
import ServiceLifecycle

/// Ends the calls to other servers after everything that makes them.
struct OutboundService: Service {
    let clients: [OutboundClient]

    func run() async throws {
        await untilShutdown()
        for client in clients { await client.shutdown() }
    }
}
