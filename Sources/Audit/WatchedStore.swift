public import Storage

/// A database, as far as the chain looks at it: an older copy of the whole file has an epoch that is lower than one which the
/// chain tells.
public struct WatchedStore: Sendable {
    /// In the chain's records.
    public var name: String
    /// For the operator.
    public var path: String
    /// Of what is durable now; asked for each group of records, so it reads memory only.
    public var epoch: @Sendable () -> UInt64
    /// Whether the file's seal was found to hold, so that the chain records that it has one; reads memory only.
    public var isSealed: @Sendable () -> Bool
    /// Whether the file has a seal that was not compared yet.
    public var isUnproven: @Sendable () -> Bool

    /// Told why the file is not the one that the chain tells of, so that nobody believes what it says.
    public var refuse: @Sendable (String) -> Void = { _ in }

    /// Whether the comparison is worth waiting for, so that nothing is allowed meanwhile.
    public var isPending: @Sendable () -> Bool = { false }

    /// The keystores' database, which has an epoch of its own in the records.
    public static let keystores = "kmsd.sqlite"

    public init(
        name: String = keystores, path: String, epoch: @escaping @Sendable () -> UInt64,
        isSealed: @escaping @Sendable () -> Bool = { false }, isUnproven: @escaping @Sendable () -> Bool = { false }
    ) {
        self.name = name
        self.path = path
        self.epoch = epoch
        self.isSealed = isSealed
        self.isUnproven = isUnproven
        isPending = isUnproven
    }

    /// Why nothing may be allowed on this database after a chain that ends in `head`; nil if it may.
    func problem(told head: AuditHead) -> AuditError? {
        let (found, told) = (epoch(), head.told(name))
        let isLost = head.sealed[name] != nil && !isSealed() && !isUnproven()
        if !isUnproven(), found >= told, found - told > StateSeal.longestJump {
            return AuditError(
                .alteredDatabase, StateSeal.jump(name: name, path: path, found: found, told: told).message)
        }
        guard found < told || isLost else { return nil }
        return AuditError(
            .olderDatabase, StateSeal.older(name: name, path: path, found: found, told: told).message)
    }
}

extension WatchedStore {
    /// A database with a seal.
    public init(_ seal: StateSeal) {
        self.init(
            name: seal.name, path: seal.path, epoch: { seal.epoch }, isSealed: { seal.isOpen },
            isUnproven: { seal.isLocked })
        isPending = { seal.isPending }
        refuse = { seal.refuse($0) }
    }
}
