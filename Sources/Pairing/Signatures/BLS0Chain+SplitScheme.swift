extension BLS0Chain: SplitScheme {
    package typealias PreparedPublicKey = BN254.PreparedPublicKey

    package static var suiteName: String { "bls0chain" }
    package static var publicKeyLength: Int { 64 }
    package static var signatureLength: Int { 32 }

    package static func prepare(_ publicKey: PublicKey) -> PreparedPublicKey { PreparedPublicKey(publicKey) }

    /// The payload as it is: 0Chain's messages have no tag, and no room for a purpose.
    package static func hashed(_ payload: [UInt8], purpose: String) throws(PairingError) -> HashedMessage {
        try HashedMessage(payload)
    }
}

extension BN254.G1Point: EncodedPoint {
    package init(encoding: [UInt8]) throws(PairingError) { try self.init(encoded: encoding) }
    package var encoding: [UInt8] { encoded }
}

extension BN254.G2Point: EncodedPoint {
    package init(encoding: [UInt8]) throws(PairingError) { try self.init(encoded: encoding) }
    package var encoding: [UInt8] { encoded }
}
