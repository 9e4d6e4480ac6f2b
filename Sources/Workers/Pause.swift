internal import Glibc

/// A wait that blocks the calling thread; only for threads of our own.
package enum Pause {
    package static func blocking(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var wanted = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        var left = timespec()
        while nanosleep(&wanted, &left) == -1 && errno == EINTR { wanted = left }
    }
}
