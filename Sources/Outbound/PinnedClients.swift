import AsyncHTTPClient
import NIOCore
import NIOSSL
import Synchronization

/// HTTP clients, each of which sends one host's requests to one address that was checked, so that nobody asks for the
/// host's address a second time and gets another answer.
///
/// - Concurrency: any thread.
final class PinnedClients: Sendable {
    struct Pin: Hashable {
        var host: OutboundURL.Host
        var address: NetworkAddress
    }

    private struct Entry {
        let client: HTTPClient
        var users = 0
        var lastUse: UInt64
    }

    private struct State {
        var entries: [Pin: Entry] = [:]
        var uses: UInt64 = 0
        var isClosed = false
    }

    /// Clients kept at most while none of the oldest is in use.
    private static let most = 32

    private let configuration: HTTPClient.Configuration
    private let state = Mutex(State())

    init(trust: OutboundTrust, connectTimeout: Duration) {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = trust.configuration
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        configuration.decompression = .disabled
        configuration.timeout = HTTPClient.Configuration.Timeout(
            connect: .nanoseconds(Int64(clamping: connectTimeout.components.seconds) * 1_000_000_000))
        configuration.connectionPool.idleTimeout = .seconds(30)
        configuration.connectionPool.retryConnectionEstablishment = false
        self.configuration = configuration
    }

    deinit {
        for entry in state.withLock({ $0.entries.values.map(\.client) }) { entry.shutdown { _ in } }
    }

    /// - Throws: `.unreachable` after ``close()``.
    func take(_ pin: Pin) throws(OutboundError) -> HTTPClient {
        let (client, old) = state.withLock { state -> (HTTPClient?, [HTTPClient]) in
            guard !state.isClosed else { return (nil, []) }
            state.uses += 1
            var entry = state.entries[pin] ?? Entry(client: make(pin), lastUse: 0)
            entry.users += 1
            entry.lastUse = state.uses
            state.entries[pin] = entry
            return (entry.client, Self.evict(&state))
        }
        for client in old { client.shutdown { _ in } }
        guard let client else { throw OutboundError(.unreachable, "the daemon is ending") }
        return client
    }

    func giveBack(_ pin: Pin) { state.withLock { $0.entries[pin]?.users -= 1 } }

    /// Ends every client; requests under way fail.
    func close() async {
        let clients = state.withLock { state in
            defer { state.entries.removeAll() }
            state.isClosed = true
            return state.entries.values.map(\.client)
        }
        for client in clients { try? await client.shutdown() }
    }

    private static func evict(_ state: inout State) -> [HTTPClient] {
        guard state.entries.count > most else { return [] }
        let idle = state.entries.filter { $0.value.users == 0 }.min { $0.value.lastUse < $1.value.lastUse }
        guard let idle else { return [] }
        state.entries[idle.key] = nil
        return [idle.value.client]
    }

    private func make(_ pin: Pin) -> HTTPClient {
        var configuration = configuration
        // TLS still asks for, and verifies, the name.
        if case .name(let name) = pin.host { configuration.dnsOverride = [name: pin.address.description] }
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }
}
