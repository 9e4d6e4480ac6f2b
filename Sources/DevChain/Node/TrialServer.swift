import Encodings
import Foundation
import HTTPTypes
import Hummingbird
import InclusionProofs
public import Logging
import NIOCore
public import ServiceLifecycle
import Synchronization

/// A trial chain's nodes on loopback, with the switches that change chain and nodes at `/dev/…`.
public final class TrialServer: Sendable {
    /// Connections at once of one node.
    public static let mostConnections = 64
    /// How long a node that was told to stall says nothing.
    static let stall = Duration.seconds(30)

    private let source: TrialSource
    private let nodes: [TrialNode]

    /// - Parameter nodes: Two for a daemon: one that it follows, and its witness.
    public init(_ source: TrialSource, nodes: Int) {
        self.source = source
        self.nodes = (0..<nodes).map { _ in TrialNode(source) }
    }

    /// The nodes' listeners on 127.0.0.1, and what makes blocks.
    ///
    /// - Parameters:
    ///   - ports: One for each node, 0 for any. The first node has the switches.
    ///   - blockTime: Nil if blocks are made only when somebody says so.
    ///   - didBind: Called once for each node.
    public func services(
        ports: [Int], blockTime: Duration?, logger: Logger,
        didBind: @escaping @Sendable (_ node: Int, _ port: Int) -> Void
    ) -> [any Service] {
        var services: [any Service] = ports.enumerated().map { index, port in
            Application(
                responder: CallbackResponder { (request: Request, _: BasicRequestContext) in
                    await self.respond(request, index)
                },
                configuration: ApplicationConfiguration(
                    address: .hostname("127.0.0.1", port: port), serverName: nil, backlog: 64,
                    availableConnectionsDelegate: .maximum(Self.mostConnections, logger: logger)),
                onServerRunning: { channel in didBind(index, channel.localAddress?.port ?? 0) }, logger: logger)
        }
        if let blockTime, case .chain(let chain) = source {
            services.append(BlockMaker(chain: chain, interval: blockTime, logger: logger))
        }
        return services
    }

    private func respond(_ request: Request, _ index: Int) async -> Response {
        let question = NodeQuestion(
            path: request.uri.path,
            parameters: request.uri.queryParameters.map { (String($0.key), Self.unquoted(String($0.value))) })
        if question.path.startsExactly(with: "/dev/") {
            guard index == 0, request.method == .post else {
                return Self.response(
                    TrialNode.Answer(
                        status: 405, body: NodeJSON.error("switches are POST requests to the first node")))
            }
            return Self.response(turn(question))
        }
        guard request.method == .get else {
            return Self.response(
                TrialNode.Answer(status: 405, body: NodeJSON.error("only the URI form (GET) is served")))
        }
        let node = nodes[index]
        let start = ContinuousClock.now
        while node.behaviour.withLock({ $0 == .stall }), ContinuousClock.now - start < Self.stall {
            do { try await Task.sleep(for: .milliseconds(50)) } catch { break }
        }
        return Self.response(node.answer(question))
    }

    /// Parameters that are texts stand in quotes in this form of the RPC.
    private static func unquoted(_ text: String) -> String {
        let bytes = text.utf8
        guard bytes.count >= 2, bytes.first == 0x22, bytes.last == 0x22 else { return text }
        return String(text.dropFirst().dropLast())
    }

    private static func response(_ answer: TrialNode.Answer) -> Response {
        Response(
            status: .init(code: answer.status), headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
    }

    private var chain: TrialChain {
        get throws {
            guard case .chain(let chain) = source else {
                throw TrialChainError.recording("a recorded chain cannot be changed")
            }
            return chain
        }
    }

    /// Changes the chain or a node.
    private func turn(_ question: NodeQuestion) -> TrialNode.Answer {
        do {
            switch question.path {
            case "/dev/allow", "/dev/revoke":
                let chain = try chain
                guard let handle = try question.hex("handle", counts: 32...32) else {
                    throw NodeQuestion.Malformed(name: "handle")
                }
                let account = try question.hex("account", counts: 20...20)
                let height = try chain.set(
                    account.map { .reencrypt(account: $0) } ?? .decrypt, of: handle,
                    isGiven: question.path.isExactly("/dev/allow"))
                return .init(body: NodeJSON.result(.object([("height", .big(height))])))
            case "/dev/make":
                let chain = try chain
                for _ in 0..<(try question.number("blocks", in: 1...1_000) ?? 1) {
                    try chain.append(now: 0)
                }
                return .init(body: NodeJSON.result(.object([("height", .big(chain.height))])))
            case "/dev/behave":
                guard let behaviour = question.text("as").flatMap(Behaviour.init) else {
                    throw NodeQuestion.Malformed(name: "as")
                }
                let node = try question.number("node", in: 0...Int64(nodes.count - 1)) ?? 0
                nodes[Int(node)].behaviour.withLock { $0 = behaviour }
                return .init(body: NodeJSON.result(.object([("as", .text(behaviour.rawValue))])))
            default: return .init(status: 404, body: NodeJSON.error("no such switch"))
            }
        } catch let error as NodeQuestion.Malformed {
            return .init(status: 400, body: NodeJSON.error("malformed parameter \(error.name)"))
        } catch let error as TrialChainError {
            return .init(status: 409, body: NodeJSON.error(error.description))
        } catch {
            return .init(status: 500, body: NodeJSON.error("it could not be done"))
        }
    }
}

/// Appends a block at regular times, until the chain is full.
private struct BlockMaker: Service {
    let chain: TrialChain
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await Task.sleep(for: interval) } catch { return }
                do { try chain.append(now: Int64(Date().timeIntervalSince1970)) } catch {
                    logger.error("no more blocks are made", metadata: ["reason": "\(error)"])
                    // The chain stays to be read.
                    try? await Task.sleep(for: .seconds(86_400 * 365))
                }
            }
        }
    }
}
