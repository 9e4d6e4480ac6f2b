public import EnclaveLock

/// Who asks, as far as keystores are concerned: what the request brings for those that are locked by shares, and as whose the
/// keystores count that it makes.
///
/// An argument from the front to the lock: nothing about a caller travels beside the calls.
public struct Caller: Sendable {
    /// Nil if the request presents nothing.
    public var share: CallerShare?
    /// Nil where nobody asks, as at an import, and where nothing is bounded.
    public var maker: KeystoreMaker?

    /// The daemon itself, or somebody who brings nothing.
    public static let nobody = Caller()

    public init(share: CallerShare? = nil, maker: KeystoreMaker? = nil) {
        self.share = share
        self.maker = maker
    }
}
