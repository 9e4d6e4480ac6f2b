/// Why a database cannot be used.
public struct StorageError: Error, Sendable, CustomStringConvertible {
    /// For the operator: what is wrong and what to do.
    public var detail: String
    public var underlying: (any Error)?

    public init(_ detail: String, underlying: (any Error)? = nil) {
        self.detail = detail
        self.underlying = underlying
    }

    public var description: String {
        if let underlying { "\(detail) [\(underlying)]" } else { detail }
    }
}
