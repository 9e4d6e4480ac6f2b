public import Encodings
public import SecretMemory

/// What the co-signing role is told of a new split key.
public struct ShareSetup: Sendable {
    /// The secret part, and how the role keeps it.
    public enum Secret: Sendable {
        /// The whole server share, as 0Chain's servers exchange it.
        case share(SharedSecret)
        /// The difference between the server share and an anchor that is there already.
        case correction(SharedSecret, anchor: String)
    }

    /// Whose key it is; nil for the caller's.
    public var userID: ExactText?
    public var clientID: String
    public var clientKey: [UInt8]
    /// The server share's public key, stored as given.
    public var publicKey: [UInt8]
    /// The user share's public key.
    public var peerKey: [UInt8]
    public var secret: Secret
    public var policy: SplitPolicy
    /// Whether the key was born in a vault that is not ours.
    public var isForeign: Bool

    public init(
        userID: ExactText?, clientID: String, clientKey: [UInt8], publicKey: [UInt8], peerKey: [UInt8], secret: Secret,
        policy: SplitPolicy, isForeign: Bool
    ) {
        self.userID = userID
        self.clientID = clientID
        self.clientKey = clientKey
        self.publicKey = publicKey
        self.peerKey = peerKey
        self.secret = secret
        self.policy = policy
        self.isForeign = isForeign
    }
}
