import CDispatch
import CoreFoundation
import Glibc
import Logging
import Synchronization

/// What the daemon writes to standard output and standard error, from its start to its end. The verbs that answer and end
/// write for themselves.
package enum ServiceLog {
    private struct State {
        var writers: [Int32: LineWriter] = [:]
        var handler: BoundedLogHandler?
    }

    private static let state = Mutex(State())
    private static let rate = LineRate()

    /// Begins; once in a process.
    package static func begin() {
        let errors = LineWriter(descriptor: STDERR_FILENO) {
            state.withLock { $0.handler }?.tellLeftOut()
        }
        // One writer where both are one: its lines stay in order.
        let output = isOneFile ? errors : LineWriter(descriptor: STDOUT_FILENO)
        state.withLock { state in
            state.writers = [STDOUT_FILENO: output, STDERR_FILENO: errors]
            state.handler = BoundedLogHandler(label: "kmsd", writer: errors, rate: rate)
        }
        LoggingSystem.bootstrap { HarmlessLogHandler(BoundedLogHandler(label: $0, writer: errors, rate: rate)) }
    }

    /// What writes to a descriptor in the daemon; nil elsewhere.
    package static func writer(of descriptor: Int32) -> LineWriter? { state.withLock { $0.writers[descriptor] } }

    /// Lets what waits go out, for a second at most: the last lines say why the daemon ends.
    package static func finish() {
        for writer in state.withLock({ Array($0.writers.values) }) { writer.flush(within: .milliseconds(500)) }
    }

    /// Lines that found no reader in time.
    package static var dropped: UInt64 {
        let writers = state.withLock { $0.writers }
        let errors = writers[STDERR_FILENO]?.dropped ?? 0
        return isOneFile ? errors : errors + (writers[STDOUT_FILENO]?.dropped ?? 0)
    }

    /// Lines that were too many of one kind.
    package static var leftOut: UInt64 { rate.leftOut }

    private static let isOneFile: Bool = {
        var (output, errors) = (stat(), stat())
        guard fstat(STDOUT_FILENO, &output) == 0, fstat(STDERR_FILENO, &errors) == 0 else { return false }
        return output.st_dev == errors.st_dev && output.st_ino == errors.st_ino
    }()
}
