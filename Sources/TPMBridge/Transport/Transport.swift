import CTSS2
import Encodings
import Glibc
import Token
import Workers

/// The bytes between the TSS and one TPM: commands out, responses in, each within a deadline.
///
/// swtpm serves one connection at a time, so the connection is closed whenever there is nothing to do; other tools get
/// their turn then. A device stays open: closing it flushes what the resource manager holds for us.
///
/// - Concurrency: one thread, the owner of the ESYS context.
final class Transport {
    /// A response never has more bytes: the TSS's buffer.
    static let longestResponse = 4096
    static let headerLength = 10

    let path: TPMAddress.Path
    private var descriptor: Int32 = -1
    /// Why the last try to connect failed; 0 if it did not.
    private(set) var failure: Int32 = 0
    /// Whether the last command failed because its deadline passed, wherever it was then.
    private(set) var isLate = false
    /// When the command under way must be answered.
    var deadline: ContinuousClock.Instant = .now

    init(_ path: TPMAddress.Path) { self.path = path }

    deinit { disconnect() }

    /// Lets others have the TPM until the next command.
    func release() { if case .device = path {} else { disconnect() } }

    func disconnect() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    /// Sends one command; true if all of it went out.
    func send(_ command: UnsafeRawBufferPointer) -> Bool {
        isLate = false
        if descriptor >= 0, attemptSend(command) { return true }
        // A connection that was idle may have been closed by the other side; no byte of an answer was lost then.
        disconnect()
        guard connect() else { return false }
        return attemptSend(command)
    }

    private func attemptSend(_ command: UnsafeRawBufferPointer) -> Bool {
        var sent = 0
        while sent < command.count {
            guard wait(for: POLLOUT) else { return false }
            let rest = UnsafeRawBufferPointer(rebasing: command[sent...])
            // A peer that is gone is an error, not a signal that ends the process.
            let count =
                isDevice
                ? write(descriptor, rest.baseAddress, rest.count)
                : Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Receives one response: a header that says its length, and the rest.
    ///
    /// - Returns: Its length; nil if the connection broke, the deadline passed or the length is nonsense. The connection
    ///   is closed then, so that a late answer is never taken for the next one.
    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard let count = read(into: buffer) else {
            disconnect()
            return nil
        }
        return count
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        var received = 0
        var length = Self.headerLength
        while received < length {
            guard descriptor >= 0, wait(for: POLLIN) else { return nil }
            let limit = received < Self.headerLength && isDevice ? buffer.count : length
            let count = Glibc.read(descriptor, buffer.baseAddress.map { $0 + received }, limit - received)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return nil }
            received += count
            if received >= Self.headerLength {
                // tag(2) ‖ size(4) ‖ code(4), big-endian (TPM 2.0 Library part 1, section 18).
                length = buffer[2..<6].reduce(0) { $0 << 8 | Int($1) }
                guard (Self.headerLength...min(buffer.count, Self.longestResponse)).contains(length), received <= length
                else { return nil }
            }
        }
        return length
    }

    private var isDevice: Bool { if case .device = path { true } else { false } }

    private func wait(for events: Int32) -> Bool {
        while true {
            let left = (deadline - .now).components
            let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
            guard milliseconds > 0 else {
                isLate = true
                return false
            }
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let ready = poll(&entry, 1, Int32(min(milliseconds, 3_600_000)))
            if ready < 0, errno == EINTR { continue }
            if ready == 0 { isLate = true }
            // Hang-ups and errors show in the call that follows.
            return ready > 0
        }
    }

    // MARK: Connecting

    private func connect() -> Bool {
        failure = 0
        switch path {
        case .device(let path):
            descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
            if descriptor < 0 { failure = errno }
        case .socket(let path): connectSocket(path)
        case .tcp(let host, let port): connectTCP(host, port)
        }
        return descriptor >= 0
    }

    private func connectSocket(_ path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        while true {
            withUnsafeBytes(of: address) { connect(AF_UNIX, $0) }
            // As many wait for the TPM as its socket lets wait, and nothing tells when one of them is through.
            guard descriptor < 0, failure == EAGAIN else { return }
            guard deadline > .now + Self.pause else {
                isLate = true
                return
            }
            Pause.blocking(Self.pause)
        }
    }

    /// Between two tries to reach a socket at which too many wait.
    private static let pause = Duration.milliseconds(20)

    private func connectTCP(_ host: String, _ port: UInt16) {
        if host.containsExactly(":") {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            inet_pton(AF_INET6, host, &address.sin6_addr)
            withUnsafeBytes(of: address) { connect(AF_INET6, $0) }
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            inet_pton(AF_INET, host, &address.sin_addr)
            withUnsafeBytes(of: address) { connect(AF_INET, $0) }
        }
    }

    private func connect(_ family: Int32, _ address: UnsafeRawBufferPointer) {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        descriptor = socket(family, kind, 0)
        guard descriptor >= 0, let base = address.baseAddress else { return }
        var one: Int32 = 1
        if family != AF_UNIX {
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        }
        let code = Glibc.connect(
            descriptor, base.assumingMemoryBound(to: sockaddr.self), socklen_t(address.count))
        if code == 0 { return }
        failure = errno
        guard failure == EINPROGRESS, wait(for: POLLOUT) else { return disconnect() }
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length)
        if failure != 0 { disconnect() }
    }
}
