/// The exit codes of every verb, where a code exists with the numbers of sysexits(3).
public enum ExitStatus: Int32, Sendable {
    case ok = 0
    case failed = 1
    /// An inspection found something.
    case findings = 2
    case usage = 64
    /// The token or the database is away; try again.
    case unavailable = 69
    case permission = 77
    case configuration = 78
}
