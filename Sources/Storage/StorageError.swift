/// Why a database cannot be used.
public struct StorageError: Error, Sendable, CustomStringConvertible {
    /// What has to happen before the database can be used.
    public enum Kind: Sendable {
        /// Time, or free space: another try may help.
        case away
        /// The file is not what it must be: somebody has to put another one there.
        case unfit
        /// Owner, mode or place of the file: somebody has to change them.
        case closed
    }

    /// For the operator: what is wrong and what to do.
    public var message: String
    public var underlying: (any Error)?
    public var kind: Kind

    public init(_ message: String, kind: Kind = .away, underlying: (any Error)? = nil) {
        self.message = message
        self.kind = kind
        self.underlying = underlying
    }

    public var description: String {
        if let underlying { "\(message) [\(underlying)]" } else { message }
    }
}
