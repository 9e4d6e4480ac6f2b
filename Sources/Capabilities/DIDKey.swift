/// An Ed25519 public key as a `did:key` URL with fragment (did:key method, multicodec 0xed01).
public struct DIDKey: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    public let publicKey: [UInt8]

    private static let multicodec: [UInt8] = [0xED, 0x01]

    public init?(publicKey: [UInt8]) {
        guard publicKey.count == 32 else { return nil }
        self.publicKey = publicKey
    }

    /// Accepts `did:key:z6Mk…#z6Mk…`, whose two fingerprints must agree, and `did:key:z6Mk…`.
    public init?(_ text: String) {
        guard text.utf8.count <= 512, text.hasPrefix("did:key:z") else { return nil }
        let parts = text.dropFirst("did:key:".count).split(
            separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 1 || parts[0] == parts[1], let bytes = Base58.decode(parts[0].dropFirst()),
            bytes.count == 34, Array(bytes.prefix(2)) == Self.multicodec
        else { return nil }
        publicKey = Array(bytes.dropFirst(2))
    }

    private var fingerprint: String { "z" + Base58.encode(Self.multicodec + publicKey) }

    /// The DID without fragment.
    public var did: String { "did:key:" + fingerprint }

    /// The DID URL that names the verification method.
    public var description: String { did + "#" + fingerprint }
}
