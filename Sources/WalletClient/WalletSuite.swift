import Pairing

/// The signature schemes that a wallet's key can be of.
public enum WalletSuite: String, Sendable, CaseIterable {
    /// 0Chain's: CurveFp254BNb, secrets little-endian, hashes signed as they are.
    case zeroChain = "bls0chain"
    /// TPM_ECC_BN_P256, secrets big-endian, hashes tagged with their purpose; the server's half is a TPM's.
    case tpm = "bls-tpm-bn256"

    /// What a signature of a suite with tags is for.
    public enum Purpose: String, Sendable, CaseIterable {
        case message = "msg"
        case transaction = "txn"
    }

    /// In bytes.
    public var publicKeyLength: Int { self == .zeroChain ? 64 : 65 }
    /// In bytes.
    public var signatureLength: Int { self == .zeroChain ? 32 : 33 }

    func publicKey(of secret: UnsafeRawBufferPointer) throws(PairingError) -> [UInt8] {
        switch self {
        case .zeroChain: try BLS0Chain.publicKey(of: secret).encoded
        case .tpm: try BLSBNP256.publicKey(of: secret).compressed
        }
    }

    /// Writes `count` shares of 32 bytes that add up to the key; none is 0.
    func split(
        _ secret: UnsafeRawBufferPointer, count: Int, into shares: UnsafeMutableRawBufferPointer,
        from generator: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        switch self {
        case .zeroChain: try BLS0Chain.split(secret, count: count, into: shares, from: generator)
        case .tpm: try BLSBNP256.split(secret, count: count, into: shares, from: generator)
        }
    }

    private static func tagged(
        _ hash: [UInt8], _ purpose: Purpose
    ) throws(PairingError) -> BLSBNP256.HashedMessage {
        try BLSBNP256.HashedMessage(BLSBNP256.splitMessage(purpose: purpose.rawValue, hash))
    }

    /// - Parameter hash: 32 bytes.
    func sign(
        _ hash: [UInt8], _ purpose: Purpose, by secret: UnsafeRawBufferPointer
    ) throws(PairingError) -> [UInt8] {
        switch self {
        case .zeroChain: try BLS0Chain.sign(hash, secretKey: secret).encoded
        case .tpm: try BLSBNP256.sign(try Self.tagged(hash, purpose), secretKey: secret).compressed
        }
    }

    /// Whether the signature is one of the key.
    func verify(
        _ signature: [UInt8], _ hash: [UInt8], _ purpose: Purpose, publicKey: [UInt8]
    ) throws(PairingError) -> Bool {
        switch self {
        case .zeroChain:
            BLS0Chain.verify(
                try BN254.G1Point(encoded: signature), message: hash, publicKey: try BN254.G2Point(encoded: publicKey))
        case .tpm:
            BLSBNP256.verify(
                try BNP256.G1Point(compressed: signature), message: try Self.tagged(hash, purpose),
                publicKey: BNP256.PreparedPublicKey(try BNP256.G2Point(compressed: publicKey)))
        }
    }

    /// The same signature, if it is one.
    func checked(_ signature: [UInt8]) throws(PairingError) -> [UInt8] {
        switch self {
        case .zeroChain: try BN254.G1Point(encoded: signature).encoded
        case .tpm: try BNP256.G1Point(compressed: signature).compressed
        }
    }

    /// The sum of two signatures; nil if they cancel out.
    func sum(_ x: [UInt8], _ y: [UInt8]) throws(PairingError) -> [UInt8]? {
        switch self {
        case .zeroChain:
            let sum = try BN254.G1Point(encoded: x) + BN254.G1Point(encoded: y)
            return sum.isInfinity ? nil : sum.encoded
        case .tpm:
            let sum = try BNP256.G1Point(compressed: x) + BNP256.G1Point(compressed: y)
            return sum.isInfinity ? nil : sum.compressed
        }
    }
}
