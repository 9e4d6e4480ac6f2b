extension BLSMinSig: SplitScheme {
    package typealias PreparedPublicKey = BLS12381.PreparedPublicKey

    package static var suiteName: String { "bls12381-min-sig" }
    package static var publicKeyLength: Int { 96 }
    package static var signatureLength: Int { 48 }

    package static func generateSecretKey(
        into output: UnsafeMutableRawBufferPointer, from generator: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        try BLS12381.generateSecretKey(into: output, from: generator)
    }

    package static func split(
        _ secretKey: UnsafeRawBufferPointer, count: Int, into shares: UnsafeMutableRawBufferPointer,
        from generator: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        try SecretScalar<BLS12381Fr>.split(secretKey, count: count, into: shares, bigEndian: true, from: generator)
    }

    package static func subtract(
        _ x: UnsafeRawBufferPointer, _ y: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(PairingError) {
        try BLS12381.subtract(x, y, into: output)
    }

    package static func prepare(_ publicKey: PublicKey) -> PreparedPublicKey { PreparedPublicKey(publicKey) }

    package static func hashed(_ payload: [UInt8], purpose: String) throws(PairingError) -> HashedMessage {
        try HashedMessage(splitMessage(purpose: purpose, payload), tag: basicTag)
    }
}

extension BLS12381.G1Point: EncodedPoint {
    package init(encoding: [UInt8]) throws(PairingError) { try self.init(compressed: encoding) }
    package var encoding: [UInt8] { compressed }
}

extension BLS12381.G2Point: EncodedPoint {
    package init(encoding: [UInt8]) throws(PairingError) { try self.init(compressed: encoding) }
    package var encoding: [UInt8] { compressed }
}
