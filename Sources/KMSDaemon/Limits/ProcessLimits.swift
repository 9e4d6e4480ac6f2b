import Dispatch
import Glibc
import NIOCore
import NIOPosix
import SecretMemory
import Token
import Workers

/// What the system allows this process, brought to what the daemon can live with before anything is opened.
package enum ProcessLimits {
    /// Descriptors beyond this many are of no use here; some systems allow a thousand million.
    static let mostDescriptors = 1 << 20
    /// Below this many everything that may be smaller is.
    static let fewDescriptors = 256

    /// Raises the limit of open files as far as this process may, and sees that 0, 1 and 2 are open: a database that got
    /// the number of a missing standard error would be written into.
    package static func prepare() {
        for standard in Int32(0)...2 where fcntl(standard, F_GETFD) < 0 { _ = open("/dev/null", O_RDWR) }
        // A file that has reached the size its owner is allowed is an error of the write, not the end of the process.
        signal(SIGXFSZ, SIG_IGN)
        ProcessHardening.returnLargeBlocks()
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        let wanted = min(limit.rlim_max, rlim_t(mostDescriptors))
        if limit.rlim_cur < wanted {
            limit.rlim_cur = wanted
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        if descriptors < fewDescriptors {
            // Each loop keeps three; has an effect only before the first one runs.
            NIOSingletons.groupLoopCountSuggestion = min(2, System.coreCount)
        }
    }

    /// How many descriptors this process may have open.
    static var descriptors: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        return Int(clamping: min(limit.rlim_cur, rlim_t(mostDescriptors)))
    }

    /// How many another start of this user may raise it to.
    static var mostAllowedDescriptors: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        return Int(clamping: min(limit.rlim_max, rlim_t(mostDescriptors)))
    }

    /// How many descriptors are open; nil if that cannot be read.
    static var openDescriptors: Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = -3  // `.`, `..` and the directory itself.
        while readdir(directory) != nil { count += 1 }
        return max(0, count)
    }

    /// Proves that as many threads as the daemon uses can be made now (RLIMIT_NPROC, and the TasksMax= of a unit): its
    /// runtime waits without end, or ends the process, where one cannot.
    ///
    /// - Throws: ``CommandFailure`` naming both limits.
    package static func proveThreads(_ count: Int) throws {
        let (gate, ended) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        var made = 0
        // Held until all are there, so that all are there at once.
        while made < count {
            let isMade = WorkerThread.start {
                gate.wait()
                ended.signal()
            }
            guard isMade else { break }
            made += 1
        }
        for _ in 0..<made { gate.signal() }
        for _ in 0..<made { ended.wait() }
        guard made == count else {
            throw CommandFailure(
                .configuration, code: "limits",
                "only \(made) more threads can be made, and the daemon uses up to \(count): raise LimitNPROC= or "
                    + "TasksMax= of the unit, or `ulimit -u`")
        }
    }

    /// Threads of the daemon at most, roughly: event loops, tasks, databases, the token's sessions, the log.
    package static func threads(sessions: Int) -> Int { 4 * System.coreCount + 2 * sessions + 24 }
}
