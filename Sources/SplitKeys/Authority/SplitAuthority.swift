public import SecretMemory

/// The co-signing role as the vault sees it, in this process or in another.
///
/// - Concurrency: any number of calls at once.
public protocol SplitAuthority: Sendable {
    /// Takes a wallet's anchor: a scalar of 32 bytes that the caller forgets afterwards.
    ///
    /// - Parameter suite: One whose wallets have anchors.
    /// - Returns: The anchor's name, and whether the token holds it or seals it.
    func takeAnchor(
        _ scalar: SharedSecret, suite: SplitSuite, client: String, caller: SplitCaller
    ) async throws(SplitKeyError) -> (anchor: String, protection: SplitProtection)

    /// Stores a server share. The same peer key again replaces the share of the same user, unless it is revoked.
    func setUp(_ setup: ShareSetup, caller: SplitCaller) async throws(SplitKeyError)

    /// Effective for every signer when this returns. Revoking again changes nothing.
    func revoke(client: String, peerKey: [UInt8], caller: SplitCaller) async throws(SplitKeyError)

    /// Removes a wallet's shares and anchors.
    func delete(client: String, caller: SplitCaller) async throws(SplitKeyError)

    /// Replaces the restrictions of the key that `key` names, by either of its public keys.
    ///
    /// - Parameter allowsMessages: Whether it signs bare hashes from now on; nil ends that with restrictions.
    func setRestrictions(
        _ names: [String], allowsMessages: Bool?, client: String, key: [UInt8], caller: SplitCaller
    ) async throws(SplitKeyError)
}

/// Where the infrastructure's scalar of a wallet is while it is used.
public enum SplitProtection: String, Sendable {
    /// Inside the token.
    case anchored
    /// In locked memory, opened by the token for one operation.
    case sealed
}
