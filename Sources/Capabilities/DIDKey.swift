import Encodings

/// An Ed25519 public key as a `did:key` URL with fragment (did:key method, multicodec 0xed01).
public struct DIDKey: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    public let publicKey: [UInt8]
    /// The DID without fragment.
    public let did: String

    private static let multicodec: [UInt8] = [0xED, 0x01]

    public init?(publicKey: [UInt8]) {
        guard publicKey.count == 32 else { return nil }
        self.publicKey = publicKey
        did = Self.prefix + "z" + Base58.encode(Self.multicodec + publicKey)
    }

    /// Accepts `did:key:z6Mk…#z6Mk…`, whose two fingerprints must agree, and `did:key:z6Mk…`.
    public init?(_ text: String) {
        guard text.utf8.count <= 512, text.startsExactly(with: "did:key:z") else { return nil }
        let parts = text.utf8.dropFirst(Self.prefix.utf8.count).split(
            separator: UInt8(ascii: "#"), maxSplits: 1, omittingEmptySubsequences: false
        ).map { Substring($0) }
        guard parts.count == 1 || parts[0].isExactly(parts[1]), let bytes = Base58.decode(parts[0].dropFirst()),
            bytes.count == 34, Array(bytes.prefix(2)) == Self.multicodec
        else { return nil }
        publicKey = Array(bytes.dropFirst(2))
        // The one spelling: base58 is unique but for leading ones, which would decode to leading zero bytes.
        did = Self.prefix + parts[0]
    }

    private static let prefix = "did:key:"

    /// The DID URL that names the verification method.
    public var description: String { did + "#" + did.dropFirst(Self.prefix.count) }
}
