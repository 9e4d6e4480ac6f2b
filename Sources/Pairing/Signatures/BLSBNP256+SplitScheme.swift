extension BLSBNP256: SplitScheme {
    package typealias PreparedPublicKey = BNP256.PreparedPublicKey

    package static var suiteName: String { "bls-tpm-bn256" }
    package static var publicKeyLength: Int { 65 }
    package static var signatureLength: Int { 33 }

    package static func prepare(_ publicKey: PublicKey) -> PreparedPublicKey { PreparedPublicKey(publicKey) }

    package static func hashed(_ payload: [UInt8], purpose: String) throws(PairingError) -> HashedMessage {
        try HashedMessage(splitMessage(purpose: purpose, payload))
    }
}

extension BNP256.G1Point: EncodedPoint {
    package init(encoding: [UInt8]) throws(PairingError) { try self.init(compressed: encoding) }
    package var encoding: [UInt8] { compressed }
}

extension BNP256.G2Point: EncodedPoint {
    package init(encoding: [UInt8]) throws(PairingError) { try self.init(compressed: encoding) }
    package var encoding: [UInt8] { compressed }
}
