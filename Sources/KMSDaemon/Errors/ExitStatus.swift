/// The exit codes of every verb, where a code exists with the numbers of sysexits(3). docs/operator.md has the table.
public enum ExitStatus: Int32, Sendable {
    case ok = 0
    /// What was given was understood and is refused.
    case failed = 1
    /// An inspection found something.
    case findings = 2
    /// An inspection found nothing and could not look at everything.
    case incomplete = 3
    /// The command line is wrong, or names a file that cannot be read.
    case usage = 64
    /// The token or the database is away; try again.
    case unavailable = 69
    /// A file, directory or PIN that a setting names cannot be used as a secret must be.
    case permission = 77
    /// A setting is wrong, or what it names is.
    case configuration = 78
}
