/// A signing key of the daemon's own, as stored: sealed by a secret lock, named by its DID.
///
/// The name is part of the sealed identity and follows from the public key, so a row that was edited does not open.
public struct DIDKeyRecord: Sendable, Hashable {
    /// A did:key URL with fragment.
    public var did: String
    /// A lock kind's name.
    public var lockKind: String
    /// Which lock of that kind.
    public var lockIdentity: String
    /// The lock's output.
    public var sealed: [UInt8]
    /// Milliseconds since 1970.
    public var createdAt: Int64
}
