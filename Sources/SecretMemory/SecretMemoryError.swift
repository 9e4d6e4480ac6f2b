/// Why locked memory could not be had. The daemon refuses to go on without it: there is no unlocked fallback.
public struct SecretMemoryError: Error, Sendable, CustomStringConvertible {
    /// The system call that failed.
    public let call: String
    /// Its `errno`.
    public let errno: Int32

    public var description: String {
        "Could not obtain locked memory (\(call), errno \(errno)): raise the memory-lock limit "
            + "(LimitMEMLOCK= in a systemd unit, `ulimit -l` in a shell)."
    }
}
