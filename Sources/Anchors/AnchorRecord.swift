public import Encodings

/// An anchor as stored: nothing in it is secret, and without the token nothing can be done with it.
public struct AnchorRecord: Sendable, Hashable, Codable {
    public enum Mode: String, Sendable, Codable {
        /// The scalar is a token object, or a blob that only the token unwraps, and is never readable.
        case anchored
        /// The scalar is sealed by the token and is in locked memory while it is used.
        case sealed
    }

    public var mode: Mode
    /// Wrapped or sealed scalar.
    public var blob: [UInt8]
    /// `h·Q`: 64 bytes as 0Chain writes public keys, or 65 on TPM_ECC_BN_P256.
    public var publicKey: [UInt8]
    /// `h·G`: 32 bytes as 0Chain writes signatures, or 33 on TPM_ECC_BN_P256.
    public var point: [UInt8]

    public init(mode: Mode, blob: [UInt8], publicKey: [UInt8], point: [UInt8]) {
        self.mode = mode
        self.blob = blob
        self.publicKey = publicKey
        self.point = point
    }
}

extension AnchorRecord {
    /// What ``blob`` is bound to: the context with which the token seals it.
    ///
    /// - Throws: ``AnchorError`` if the names are too long together.
    public func sealingContext(_ identity: RecordIdentity) throws(AnchorError) -> [UInt8] {
        try AnchorContext.bytes(identity, mode: mode, publicKey: publicKey, point: point)
    }
}
