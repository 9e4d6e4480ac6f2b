import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL

/// The client through which the daemon calls other servers: resolves the host itself, refuses the call unless the policy
/// allows every address the host has, and connects to an address that was checked.
///
/// Redirects are answers, proxies of the environment are ignored, TLS is 1.2 or newer and verifies the host's name.
public final class OutboundClient: OutboundSending {
    /// Addresses of one host that are tried.
    private static let mostAttempts = 3

    private let policy: OutboundPolicy
    private let resolver: any AddressResolving
    private let clients: PinnedClients
    private let timeout: Duration
    private let maximumAnswer: Int
    /// Those whose host's address is being looked for.
    private let lookUps: CallGate
    private let calls: CallGate

    /// - Parameters:
    ///   - timeout: For everything from the look-up to the answer's last byte.
    ///   - maximumAnswer: Longest body in bytes.
    ///   - mostCalls: At once, eight or a quarter of them to one address; as many connections at most are kept open for later ones.
    ///     More calls wait.
    public convenience init(
        policy: OutboundPolicy, trust: OutboundTrust, timeout: Duration = .seconds(60), maximumAnswer: Int = 1 << 20,
        mostCalls: Int = 128
    ) {
        self.init(
            policy: policy, trust: trust, timeout: timeout, maximumAnswer: maximumAnswer, mostCalls: mostCalls,
            resolver: SystemResolver())
    }

    init(
        policy: OutboundPolicy, trust: OutboundTrust, timeout: Duration, maximumAnswer: Int, mostCalls: Int = 128,
        resolver: any AddressResolving
    ) {
        self.policy = policy
        self.timeout = timeout
        self.maximumAnswer = maximumAnswer
        self.resolver = resolver
        lookUps = CallGate(limit: SystemResolver.mostPending)
        calls = CallGate(limit: mostCalls, each: PinnedClients.connections(toOneHostOf: mostCalls))
        clients = PinnedClients(trust: trust, connectTimeout: min(timeout, .seconds(10)), mostConnections: mostCalls)
    }

    /// From now on these authorities vouch for the servers that are connected to; connections in use go on.
    public func trust(_ trust: OutboundTrust) { clients.use(trust) }

    /// Ends the client; requests under way fail and later ones too.
    public func shutdown() async { await clients.close() }

    public func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundAnswer {
        let work = Task { await self.attempt(request) }
        let timer = Task { [timeout] in
            try await Task.sleep(for: timeout)
            work.cancel()
        }
        defer { timer.cancel() }
        let result = await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            work.cancel()
        }
        return try result.get()
    }

    private func attempt(_ request: OutboundRequest) async -> Result<OutboundAnswer, OutboundError> {
        do throws(OutboundError) {
            let url = try OutboundURL(request.url)
            let prepared = try Self.prepare(request, url)
            var failure = OutboundError(.unreachable, "the server was not reached")
            for address in try await checkedAddresses(url).prefix(Self.mostAttempts) {
                let network = CallGate.Network(address)
                try await calls.enter(network)
                defer { calls.leave(network) }
                do throws(OutboundError) {
                    return .success(try await exchange(prepared, PinnedClients.Pin(host: url.host, address: address)))
                } catch let error where error.code == .notConnected {
                    // Nothing was sent, so another address may be tried.
                    failure = OutboundError(.unreachable, error.message)
                }
            }
            throw failure
        } catch {
            return .failure(error)
        }
    }

    /// Every address of the host; one that is refused refuses all, because the next answer may be another.
    private func checkedAddresses(_ url: OutboundURL) async throws(OutboundError) -> [NetworkAddress] {
        switch url.host {
        case .address(let address):
            try policy.check(address, of: url)
            return [address]
        case .name(let name):
            try policy.checkScheme(url)
            try await lookUps.enter()
            defer { lookUps.leave() }
            do throws(OutboundError) {
                let addresses = try await resolver.addresses(of: name, within: timeout)
                for address in addresses { try policy.check(address, of: url) }
                return addresses
            } catch {
                // Who chose the name must not learn whether it means something inside.
                throw OutboundError(.noAddress, error.message)
            }
        }
    }

    private static func prepare(
        _ request: OutboundRequest, _ url: OutboundURL
    ) throws(OutboundError) -> HTTPClientRequest {
        var prepared = HTTPClientRequest(url: url.text)
        prepared.method = HTTPMethod(rawValue: request.method)
        for header in request.headers {
            let isPlain = (header.name + header.value).utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
            guard !header.name.isEmpty, isPlain else {
                throw OutboundError(.addressRefused, "a header of the request has a control character")
            }
            prepared.headers.add(name: header.name, value: header.value)
        }
        if !request.body.isEmpty { prepared.body = .bytes(ByteBuffer(bytes: request.body)) }
        return prepared
    }

    private func exchange(
        _ request: HTTPClientRequest, _ pin: PinnedClients.Pin
    ) async throws(OutboundError) -> OutboundAnswer {
        let client = try clients.take(pin)
        defer { clients.giveBack(client, pin) }
        do {
            let response = try await client.execute(request, deadline: .now() + .seconds(3600))
            let body = try await response.body.collect(upTo: maximumAnswer)
            return OutboundAnswer(
                status: Int(response.status.code), headers: response.headers.map { (name: $0.name, value: $0.value) },
                body: Array(buffer: body))
        } catch {
            throw OutboundFailure.translated(error, maximumAnswer: maximumAnswer)
        }
    }
}
