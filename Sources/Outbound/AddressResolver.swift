import Glibc
import NIOPosix
import Synchronization

/// Finds the addresses of a host name.
protocol AddressResolving: Sendable {
    /// - Throws: `.unreachable` if there is none, or none in time.
    func addresses(of name: String, within limit: Duration) async throws(OutboundError) -> [NetworkAddress]
}

/// Asks the system's resolver on threads of its own, since it blocks.
final class SystemResolver: AddressResolving {
    /// Questions that run or wait at most.
    private static let mostPending = 64

    private typealias Answer = Result<[NetworkAddress], OutboundError>

    private let threads: NIOThreadPool
    private let pending = Atomic<Int>(0)

    init() {
        threads = NIOThreadPool(numberOfThreads: 4)
        threads.start()
    }

    deinit { threads.shutdownGracefully { _ in } }

    func addresses(of name: String, within limit: Duration) async throws(OutboundError) -> [NetworkAddress] {
        guard pending.add(1, ordering: .relaxed).newValue <= Self.mostPending else {
            pending.subtract(1, ordering: .relaxed)
            throw OutboundError(.unreachable, "too many host names are being looked up")
        }
        let waiter = Waiter()
        let timer = Task {
            try await Task.sleep(for: limit)
            waiter.finish(.failure(OutboundError(.unreachable, "the name '\(name)' was not resolved in time")))
        }
        defer { timer.cancel() }
        return try await withCheckedContinuation { (continuation: CheckedContinuation<Answer, Never>) in
            waiter.start(continuation)
            threads.submit { [self] state in
                defer { pending.subtract(1, ordering: .relaxed) }
                guard case .active = state else {
                    waiter.finish(.failure(OutboundError(.unreachable, "the daemon is ending")))
                    return
                }
                waiter.finish(Self.ask(name))
            }
        }.get()
    }

    private static func ask(_ name: String) -> Answer {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var first: UnsafeMutablePointer<addrinfo>?
        // The name ends with a dot, so that no search domain is put behind it; 'localhost' is not in the DNS.
        let question = name.contains(".") ? name + "." : name
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

    /// Gives the first of two answers.
    private final class Waiter: Sendable {
        private enum State {
            case waiting(CheckedContinuation<Answer, Never>?)
            case early(Answer)
            case done
        }
        private let state = Mutex(State.waiting(nil))

        func start(_ continuation: CheckedContinuation<Answer, Never>) {
            let answer = state.withLock { state -> Answer? in
                guard case .early(let answer) = state else {
                    state = .waiting(continuation)
                    return nil
                }
                state = .done
                return answer
            }
            if let answer { continuation.resume(returning: answer) }
        }

        func finish(_ answer: Answer) {
            let continuation = state.withLock { state -> CheckedContinuation<Answer, Never>? in
                guard case .waiting(let continuation) = state else { return nil }
                state = continuation == nil ? .early(answer) : .done
                return continuation
            }
            continuation?.resume(returning: answer)
        }
    }
}
