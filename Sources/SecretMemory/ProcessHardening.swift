internal import CProcess
import Glibc

/// Process-wide protection of memory; call once, before any secret is read.
public enum ProcessHardening {
    /// Forbids core dumps and attaching by other processes of the same user, and gives new files mode 0600.
    ///
    /// - Throws: ``SecretMemoryError`` naming the call; the caller must not go on.
    public static func apply() throws(SecretMemoryError) {
        umask(0o077)
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        guard setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else {
            throw SecretMemoryError(call: "setrlimit(RLIMIT_CORE)", errno: errno)
        }
        guard kms_set_dumpable(0) == 0 else {
            throw SecretMemoryError(call: "prctl(PR_SET_DUMPABLE)", errno: errno)
        }
    }
}
