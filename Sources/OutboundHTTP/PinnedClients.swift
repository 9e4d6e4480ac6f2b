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
        /// Of an earlier configuration, each still in use.
        var retired: [ObjectIdentifier: Entry] = [:]
        var configuration: HTTPClient.Configuration
        var uses: UInt64 = 0
        var isClosed = false

        var all: [HTTPClient] { entries.values.map(\.client) + retired.values.map(\.client) }
    }

    /// Clients kept at most while none of the oldest is in use.
    private let most: Int
    private let state: Mutex<State>

    /// More calls to one host would wait for a connection, and not for as long as they may.
    static func connections(toOneHostOf most: Int) -> Int { min(8, max(1, most / 4)) }

    /// - Parameter mostConnections: Kept open for later calls, of all hosts together.
    init(trust: OutboundTrust, connectTimeout: Duration, mostConnections: Int = 128) {
        let perHost = Self.connections(toOneHostOf: mostConnections)
        most = max(1, min(32, mostConnections / perHost))
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = trust.configuration
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        configuration.decompression = .disabled
        configuration.timeout = HTTPClient.Configuration.Timeout(
            connect: .nanoseconds(Int64(clamping: connectTimeout.components.seconds) * 1_000_000_000))
        configuration.connectionPool.idleTimeout = .seconds(30)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = perHost
        configuration.connectionPool.retryConnectionEstablishment = false
        state = Mutex(State(configuration: configuration))
    }

    /// Makes new clients for everything from now on; those in use are closed when they are given back.
    func use(_ trust: OutboundTrust) {
        let idle = state.withLock { state -> [HTTPClient] in
            state.configuration.tlsConfiguration = trust.configuration
            let old = state.entries.values
            state.entries.removeAll()
            for entry in old where entry.users > 0 { state.retired[ObjectIdentifier(entry.client)] = entry }
            return old.filter { $0.users == 0 }.map(\.client)
        }
        for client in idle { client.shutdown { _ in } }
    }

    deinit {
        for entry in state.withLock({ $0.all }) { entry.shutdown { _ in } }
    }

    /// - Throws: `.unreachable` after ``close()``.
    func take(_ pin: Pin) throws(OutboundError) -> HTTPClient {
        let (client, old) = state.withLock { state -> (HTTPClient?, [HTTPClient]) in
            guard !state.isClosed else { return (nil, []) }
            state.uses += 1
            var entry = state.entries[pin] ?? Entry(client: Self.make(pin, state.configuration), lastUse: 0)
            entry.users += 1
            entry.lastUse = state.uses
            state.entries[pin] = entry
            return (entry.client, evict(&state))
        }
        for client in old { client.shutdown { _ in } }
        guard let client else { throw OutboundError(.unreachable, "the daemon is ending") }
        return client
    }

    func giveBack(_ client: HTTPClient, _ pin: Pin) {
        let isOver = state.withLock { state -> Bool in
            if state.entries[pin]?.client === client {
                state.entries[pin]?.users -= 1
                return false
            }
            let name = ObjectIdentifier(client)
            guard var entry = state.retired[name] else { return false }
            entry.users -= 1
            state.retired[name] = entry.users > 0 ? entry : nil
            return entry.users == 0
        }
        if isOver { client.shutdown { _ in } }
    }

    /// Ends every client; requests under way fail.
    func close() async {
        let clients = state.withLock { state in
            defer {
                state.entries.removeAll()
                state.retired.removeAll()
            }
            state.isClosed = true
            return state.all
        }
        for client in clients { try? await client.shutdown() }
    }

    private func evict(_ state: inout State) -> [HTTPClient] {
        guard state.entries.count > most else { return [] }
        let idle = state.entries.filter { $0.value.users == 0 }.min { $0.value.lastUse < $1.value.lastUse }
        guard let idle else { return [] }
        state.entries[idle.key] = nil
        return [idle.value.client]
    }

    private static func make(_ pin: Pin, _ configuration: HTTPClient.Configuration) -> HTTPClient {
        var configuration = configuration
        // TLS still asks for, and verifies, the name.
        if case .name(let name) = pin.host {
            configuration.dnsOverride = [name: pin.address.description]
            configuration.http1_1ConnectionDebugInitializer = { ServerIdentity.check($0, isFor: name) }
        }
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }
}
