/// The keystores' database, as far as the chain looks at it: an older copy of the whole file has an epoch that is lower than
/// one which the chain tells.
public struct WatchedStore: Sendable {
    /// For the operator.
    public var path: String
    /// Of what is durable now; asked for each group of records, so it reads memory only.
    public var epoch: @Sendable () -> UInt64

    public init(path: String, epoch: @escaping @Sendable () -> UInt64) {
        self.path = path
        self.epoch = epoch
    }

    /// Why nothing may be allowed on this database after records that told `told`; nil if it may.
    func problem(told: UInt64) -> AuditError? {
        let found = epoch()
        guard found < told else { return nil }
        return AuditError(
            .olderDatabase,
            "The database '\(path)' is an older copy: its epoch is \(found), and the audit chain tells \(told). Keys that "
                + "were rotated, disabled or destroyed may be back in it. Nothing is allowed until the newer file is put "
                + "back, or `kmsd audit adopt-database` accepts this one.")
    }
}
