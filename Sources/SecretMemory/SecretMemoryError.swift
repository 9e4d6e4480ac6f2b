import Synchronization

/// Why locked memory could not be had. The daemon refuses to go on without it: there is no unlocked fallback.
public struct SecretMemoryError: Error, Sendable, CustomStringConvertible {
    /// The system call that failed.
    public let call: String
    /// Its `errno`.
    public let errno: Int32

    /// What to change, for a message.
    public static let remedy = "raise the memory-lock limit (LimitMEMLOCK= in a systemd unit, `ulimit -l` in a shell)"

    public var description: String {
        "Could not obtain locked memory (\(call), errno \(errno)): \(Self.remedy)."
    }

    private static let noted = Mutex<SecretMemoryError?>(nil)

    /// The last failure of this process to lock memory; nil if there was none.
    ///
    /// Many errors say that a secret could not be held, each in the words of its own layer. A verb that ends asks here
    /// whether that was it.
    public static var last: SecretMemoryError? { noted.withLock { $0 } }

    /// The error of a failure to lock memory, remembered as ``last``.
    package static func locking(_ call: String, _ errno: Int32) -> SecretMemoryError {
        let error = SecretMemoryError(call: call, errno: errno)
        noted.withLock { $0 = error }
        return error
    }
}
