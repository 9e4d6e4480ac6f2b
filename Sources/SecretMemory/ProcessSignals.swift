internal import CProcess
import Glibc

/// What the process does on signals. Handlers do nothing but write a byte; whoever reads it decides.
///
/// Dispatch's signal sources are not used: two signals close together can reach its manager's thread, which then spins
/// and never tells any signal again, SIGTERM included.
public enum ProcessSignals {
    /// From now on each of `signals` is a byte, its number, in the descriptor that is returned; reading it waits.
    ///
    /// - Throws: ``SecretMemoryError`` naming the call.
    public static func deliver(_ signals: [Int32]) throws(SecretMemoryError) -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SecretMemoryError(call: "pipe", errno: errno) }
        for end in ends {
            guard fcntl(end, F_SETFD, FD_CLOEXEC) == 0, end == ends[0] || fcntl(end, F_SETFL, O_NONBLOCK) == 0 else {
                throw SecretMemoryError(call: "fcntl", errno: errno)
            }
        }
        for number in signals {
            guard kms_note_signals(number, ends[1]) == 0 else {
                throw SecretMemoryError(call: "sigaction", errno: errno)
            }
        }
        return ends[0]
    }

    public static func ignore(_ signals: [Int32]) { for number in signals { signal(number, SIG_IGN) } }

    /// Ignores those that the C library keeps for its threads and that would end the process if a stranger sends them.
    public static func ignoreReserved() {
        for number in 32..<__libc_current_sigrtmin() { _ = kms_ignore_reserved(number) }
    }

    public static func isIgnored(_ number: Int32) -> Bool { kms_is_ignored(number) != 0 }

    /// Those that are for programs' own use (signal(7), "Real-time signals").
    public static var realTime: [Int32] { Array(__libc_current_sigrtmin()...__libc_current_sigrtmax()) }

    /// Ends the process as the signal does where nobody handles it, so that the caller sees which it was.
    public static func end(by number: Int32) -> Never {
        signal(number, SIG_DFL)
        var only = sigset_t()
        sigemptyset(&only)
        sigaddset(&only, number)
        pthread_sigmask(SIG_UNBLOCK, &only, nil)
        raise(number)
        _exit(128 + number)
    }
}
