import Dispatch
import Foundation
import Glibc
import Synchronization

/// Writes lines to a descriptor on a thread of its own, so that nobody waits for whoever reads them.
///
/// What waits is bounded. Where it has no room a line is dropped and counted, and as soon as lines are read again the first
/// tells how many there were. A reader that is gone, a disk that is full: the same, until it is not.
///
/// - Concurrency: any thread; never blocks.
package final class LineWriter: Sendable {
    /// Bytes that may wait; some thousands of lines.
    static let room = 1 << 20
    /// A pipe that has room for anything has room for this much (PIPE_BUF).
    private static let piece = 4096
    /// Between two tries.
    private static let pause: Int32 = 100
    /// Between two looks at what else is to be told.
    private static let tick = DispatchTimeInterval.seconds(1)

    private struct State {
        var lines: [[UInt8]] = []
        var bytes = 0
        var isWriting = false
        var dropped: UInt64 = 0
        /// Of them, those that are not reported yet.
        var untold: UInt64 = 0
        var isEnding = false
    }

    private let descriptor: Int32
    private let room: Int
    private let state = Mutex(State())
    private let work = DispatchSemaphore(value: 0)
    private let didIdle: @Sendable () -> Void

    /// - Parameters:
    ///   - room: Bytes that may wait.
    ///   - didIdle: Called now and then on the writer's thread while nothing is written.
    init(descriptor: Int32, room: Int = LineWriter.room, didIdle: @escaping @Sendable () -> Void = {}) {
        self.descriptor = descriptor
        self.room = room
        self.didIdle = didIdle
        Thread.detachNewThread { self.run() }
    }

    /// Lines that found no room so far.
    package var dropped: UInt64 { state.withLock { $0.dropped } }

    /// Hands over one line or more, with their ends.
    package func write(_ text: String) {
        let line = Array(text.utf8)
        let isFirst = state.withLock { state in
            guard state.bytes + line.count <= room else {
                state.dropped += 1
                state.untold += 1
                return false
            }
            state.bytes += line.count
            state.lines.append(line)
            return state.lines.count == 1
        }
        if isFirst { work.signal() }
    }

    /// Returns when everything is written, or cannot be in this time. Blocks; for the end of the process.
    func flush(within limit: Duration) {
        let end = ContinuousClock.now + limit
        while state.withLock({ !$0.lines.isEmpty || $0.isWriting }), ContinuousClock.now < end { usleep(2_000) }
    }

    /// Ends the thread; what waits is lost.
    func end() {
        state.withLock { $0.isEnding = true }
        work.signal()
    }

    private func run() {
        // A reader that is gone is an error of the write here, whatever the process does with the signal.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        while !state.withLock({ $0.isEnding }) {
            if work.wait(timeout: .now() + Self.tick) == .timedOut { didIdle() }
            writeAll()
        }
    }

    private func writeAll() {
        while true {
            let (lines, isEnding) = state.withLock { state -> ([[UInt8]], Bool) in
                defer { state.lines = [] }
                state.isWriting = !state.lines.isEmpty
                return (state.lines, state.isEnding)
            }
            if lines.isEmpty || isEnding { return }
            for line in lines {
                deliver(line)
                let untold = state.withLock { state -> UInt64 in
                    state.bytes -= line.count
                    defer { state.untold = 0 }
                    return state.untold
                }
                if untold > 0 { deliver(Array(Self.lost(untold).utf8)) }
            }
        }
    }

    private static func lost(_ count: UInt64) -> String {
        LogTime.now() + " warning kmsd: lines=\(count) [KMSDaemon] lines were lost here: the log was not read in time\n"
    }

    /// Writes all of it, however long that takes.
    private func deliver(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty, !state.withLock({ $0.isEnding }) {
            var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            // Written only when there is room, so that a pipe which nobody reads holds not even this thread.
            guard Glibc.poll(&poll, 1, Self.pause) > 0 else { continue }
            let count = rest.prefix(Self.piece).withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count == 0 || errno != EINTR {
                usleep(UInt32(Self.pause) * 1000)
            }
        }
    }
}
