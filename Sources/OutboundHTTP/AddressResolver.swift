import Encodings
import Glibc
import NIOPosix
import Synchronization
import Workers

/// Finds the addresses of a host name.
protocol AddressResolving: Sendable {
    /// - Throws: `.unreachable` if there is none, or none in time.
    func addresses(of name: String, within limit: Duration) async throws(OutboundError) -> [NetworkAddress]
}

/// Asks the system's resolver on threads of its own, since it blocks.
final class SystemResolver: AddressResolving {
    /// Questions that run or wait at most.
    static let mostPending = 64

    private typealias Answer = Result<[NetworkAddress], OutboundError>

    /// One question, which ends early if whoever asked is cancelled; the system's call goes on until it ends by itself.
    private final class Question: Sendable {
        private let state = Mutex<(answer: OneShot<[NetworkAddress], OutboundError>?, isCancelled: Bool)>((nil, false))

        func begin(_ answer: OneShot<[NetworkAddress], OutboundError>) {
            let isCancelled = state.withLock { state in
                state.answer = answer
                return state.isCancelled
            }
            if isCancelled { answer.deliver(.failure(Self.ended)) }
        }

        func cancel() {
            let answer = state.withLock { state in
                state.isCancelled = true
                return state.answer
            }
            answer?.deliver(.failure(Self.ended))
        }

        private static let ended = OutboundError(.unreachable, "the server's name was not resolved in time")
    }

    private let threads: NIOThreadPool
    private let pending = Atomic<Int>(0)
    private let ask: @Sendable (String) -> Answer

    convenience init() { self.init(asking: Self.ask) }

    /// - Parameter ask: Blocks.
    init(asking ask: @escaping @Sendable (String) -> Result<[NetworkAddress], OutboundError>) {
        self.ask = ask
        threads = NIOThreadPool(numberOfThreads: 4)
        threads.start()
    }

    deinit { threads.shutdownGracefully { _ in } }

    func addresses(of name: String, within limit: Duration) async throws(OutboundError) -> [NetworkAddress] {
        guard pending.add(1, ordering: .relaxed).newValue <= Self.mostPending else {
            pending.subtract(1, ordering: .relaxed)
            throw OutboundError(.unreachable, "too many host names are being looked up")
        }
        let question = Question()
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Answer, Never>) in
                let answer = OneShot(continuation)
                question.begin(answer)
                let timer = Task {
                    try await Task.sleep(for: limit)
                    question.cancel()
                }
                threads.submit { [self] state in
                    defer {
                        pending.subtract(1, ordering: .relaxed)
                        timer.cancel()
                    }
                    guard case .active = state else {
                        answer.deliver(.failure(OutboundError(.unreachable, "the daemon is ending")))
                        return
                    }
                    answer.deliver(ask(name))
                }
            }
        } onCancel: {
            question.cancel()
        }
        return try result.get()
    }

    private static func ask(_ name: String) -> Answer {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var first: UnsafeMutablePointer<addrinfo>?
        // The name ends with a dot, so that no search domain is put behind it; 'localhost' is not in the DNS.
        let question = name.containsExactly(".") ? name + "." : name
        let status = getaddrinfo(question, nil, &hints, &first)
        guard status == 0 else {
            let reason = gai_strerror(status).map { String(cString: $0) } ?? "error \(status)"
            return .failure(OutboundError(.unreachable, "the name '\(name)' has no address: \(reason)"))
        }
        defer { freeaddrinfo(first) }
        var found: [NetworkAddress] = []
        var entry = first
        while let info = entry?.pointee {
            if let address = Self.address(info), !found.contains(address) { found.append(address) }
            entry = info.ai_next
        }
        return found.isEmpty
            ? .failure(OutboundError(.unreachable, "the name '\(name)' has no address")) : .success(found)
    }

    private static func address(_ info: addrinfo) -> NetworkAddress? {
        guard let address = info.ai_addr else { return nil }
        switch info.ai_family {
        case AF_INET:
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                NetworkAddress(bytes: withUnsafeBytes(of: address.pointee.sin_addr) { Array($0) })
            }
        case AF_INET6:
            return address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                NetworkAddress(bytes: withUnsafeBytes(of: address.pointee.sin6_addr) { Array($0) })
            }
        default: return nil
        }
    }
}
