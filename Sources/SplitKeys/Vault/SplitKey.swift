public import Encodings
public import SecretMemory

/// A wallet as told.
public struct SplitWallet: Sendable {
    public var clientID: String
    public var clientKey: [UInt8]
    public var userID: ExactText
    public var suite: SplitSuite
    /// Where its infrastructure scalar is used.
    public var protection: SplitProtection
    /// Unix seconds.
    public var createdAt: Int64
}

/// A split key as told to its owner or grantee.
public struct SplitKey: Sendable {
    public var wallet: SplitWallet
    public var publicKey: [UInt8]
    public var peerKey: [UInt8]
    /// The user share, 32 bytes; nil if it was given out once only, and for a damaged row.
    public var share: SharedSecret?
    public var sharedTo: ExactText
    public var isRevoked: Bool
    /// Whether the stored row does not open: what it says is not proven, and its share is lost.
    public var isDamaged = false
    public var policy: SplitPolicy
    /// Unix seconds.
    public var createdAt: Int64
}

/// What a new split key may be given.
public struct SplitKeyOptions: Sendable {
    public var restrictions: [String] = []
    /// Unix seconds; 0 for never.
    public var expiresAt: Int64 = 0
    public var allowsMessages: Bool?
    public var verifiesHash: Bool?
    /// Give the user share in this answer and keep nothing of it.
    public var returnsShareOnce = false
    /// Must be the wallet's if given.
    public var suite: SplitSuite?

    public init() {}
}
