/// What a keystore's row says of who may use it, before anything proves the row.
///
/// Good for refusing a stranger without asking the token, the Auth server or anybody else, and for nothing more: a request
/// that these let pass needs the authenticated row.
public struct UnverifiedKeystoreRow: Sendable {
    public let controller: String
    /// The root capability's document; nil if the keystore was made without.
    public let capability: [UInt8]?
}
