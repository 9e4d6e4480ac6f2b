import Dispatch
import Foundation
import Glibc
package import Logging
import SecretMemory
import Synchronization

/// What signals do to a daemon that serves: SIGTERM, SIGINT and SIGQUIT end it, a second one at once; SIGHUP reads the
/// certificates again; others that would end a process are ignored with a line.
///
/// - Concurrency: a thread of its own waits for signals.
package final class DaemonSignals: Sendable {
    /// Reported by the calls that cause them, which fail.
    private static let silent = [SIGPIPE, SIGXFSZ, SIGTTIN, SIGTTOU]
    private static let ending = [SIGTERM, SIGINT, SIGQUIT]
    private static let told: [Int32: String] = [
        SIGUSR1: "SIGUSR1", SIGUSR2: "SIGUSR2", SIGALRM: "SIGALRM", SIGVTALRM: "SIGVTALRM", SIGPROF: "SIGPROF",
        SIGIO: "SIGIO", SIGPWR: "SIGPWR", SIGSTKFLT: "SIGSTKFLT", SIGXCPU: "SIGXCPU",
    ]
    /// Stops what runs in the foreground of a terminal, where a person goes on with it; a service nobody would.
    private static let stopping = [SIGTSTP: "SIGTSTP"]
    private static let wasHangupIgnored = Mutex(false)

    private let logger: Logger
    private let timeout: Duration
    private let renewal: Renewal
    private let end: @Sendable () -> Void
    private let isEnding = Mutex(false)
    private let hasTerminal: Bool
    /// Of those that are ignored with a line.
    private let names: [Int32: String]
    private let descriptor: Int32

    /// From here on only the signals that end a process still do, until there is a value.
    package static func ignoreOthers() {
        let isIgnored = ProcessSignals.isIgnored(SIGHUP)
        wasHangupIgnored.withLock { $0 = isIgnored }
        ProcessSignals.ignore(silent + Array(told.keys) + [SIGHUP] + ProcessSignals.realTime)
        ProcessSignals.ignoreReserved()
        if !reachesTerminal { ProcessSignals.ignore(Array(stopping.keys)) }
    }

    /// - Parameters:
    ///   - timeout: After the first signal that ends, how long the end may take.
    ///   - end: Begins the end.
    package init(logger: Logger, timeout: Duration, renewal: Renewal, end: @escaping @Sendable () -> Void) throws {
        self.logger = logger
        self.timeout = timeout
        self.renewal = renewal
        self.end = end
        // A program that nohup(1) started is not its terminal's.
        hasTerminal = Self.reachesTerminal && !Self.wasHangupIgnored.withLock { $0 }
        names = Self.told.merging(Self.reachesTerminal ? [:] : Self.stopping) { first, _ in first }
        descriptor = try ProcessSignals.deliver(Self.ending + Array(names.keys) + [SIGHUP])
        Thread.detachNewThread { [self] in read() }
    }

    /// For as long as the process lives.
    private func read() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while true {
            let count = Glibc.read(descriptor, &bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            handle(bytes[..<count].map { Int32($0) })
        }
    }

    private func handle(_ numbers: [Int32]) {
        for number in numbers where Self.ending.contains(number) { endRequested(by: number) }
        // The same one several times at once is one.
        for number in Set(numbers).sorted() {
            if number == SIGHUP { hangUp() }
            if let name = names[number] { logger.notice("ignored the signal \(name)") }
        }
    }

    /// A terminal that is gone ends what was started in its foreground; every other SIGHUP is a wish to read again.
    private func hangUp() {
        guard !hasTerminal || Self.reachesTerminal else { return endRequested(by: SIGHUP) }
        renewal.renewNow()
    }

    private static var reachesTerminal: Bool {
        let terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { return false }
        close(terminal)
        return true
    }

    private func endRequested(by number: Int32) {
        let isSecond = isEnding.withLock { isEnding in
            defer { isEnding = true }
            return isEnding
        }
        guard !isSecond else {
            // A terminal's end is reported twice, by the system and by the shell.
            if number == SIGHUP { return }
            logger.warning("ended at once, by a second signal")
            ProcessSignals.end(by: number)
        }
        logger.info("ending; a second signal ends at once")
        end()
        DispatchQueue.global().asyncAfter(deadline: .now() + (timeout * 0.95).seconds) { [logger, timeout] in
            logger.error("the end took longer than shutdown-timeout (\(timeout)): something did not answer")
            _exit(ExitStatus.unavailable.rawValue)
        }
    }
}

extension Duration {
    /// With its fraction.
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
