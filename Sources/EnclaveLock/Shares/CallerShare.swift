import Encodings
public import SecretMemory

/// What a caller presents to open a keystore that is locked by shares: the caller's name and share.
///
/// It is an argument from the front to the lock, and never stored with a keystore.
public struct CallerShare: Sendable {
    /// Whose other share the Auth server gives; empty if the caller did not say.
    public let user: String
    /// Nil if the caller sent none.
    public let share: SharedSecret?

    public init(user: String, share: SharedSecret?) {
        self.user = user
        self.share = share
    }

    /// Whether another caller presents the same; compared without branching on the share.
    public func matches(_ other: CallerShare?) -> Bool {
        guard let other, let share, let presented = other.share else { return false }
        let isSameShare = share.withUnsafeBytes { share in
            presented.withUnsafeBytes { presented in ConstantTime.equal(share, presented) }
        }
        return isSameShare && user.isExactly(other.user)
    }
}
