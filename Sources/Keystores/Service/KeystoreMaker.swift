/// Whose request makes a keystore, as far as it proves that, and how many its maker may have made.
public struct KeystoreMaker: Sendable, Hashable {
    /// A proved caller or an address; at most ``longestName`` bytes count.
    public var name: String
    /// Most keystores; 0 for no bound.
    public var limit: Int

    /// In bytes.
    public static let longestName = 1_200

    public init(name: String, limit: Int) {
        self.name = name
        self.limit = limit
    }
}

/// How many keystores there may be.
public struct KeystoreLimits: Sendable {
    /// Of one controller, which the caller names.
    public var controller: Int
    /// Of all together; 0 for no bound.
    public var total = 0
    public var maker: KeystoreMaker?

    public init(controller: Int, total: Int = 0, maker: KeystoreMaker? = nil) {
        self.controller = controller
        self.total = total
        self.maker = maker
    }
}
