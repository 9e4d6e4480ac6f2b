import OutboundHTTP
import ServiceLifecycle

/// Ends the calls to other servers after everything that makes them.
struct OutboundService: Service {
    let client: OutboundClient

    func run() async throws {
        await untilShutdown()
        await client.shutdown()
    }
}
