import LibCrypto
import Pairing
import SecretMemory

/// The signature schemes a wallet can have.
public enum SplitSuite: String, Sendable, CaseIterable {
    /// BLS over CurveFp254BNb as 0Chain uses it.
    case bls0chain
    /// BLS over BLS12-381, signatures in G1, every message tagged with its purpose.
    case bls12381MinSig = "bls12381-min-sig"
    /// BLS over TPM_ECC_BN_P256, signatures in G1, every message tagged with its purpose; the infrastructure's scalar is a
    /// key of a TPM. Experimental.
    case blsTPM = "bls-tpm-bn256"

    /// In bytes.
    public var publicKeyLength: Int {
        switch self {
        case .bls0chain: 64
        case .bls12381MinSig: 96
        case .blsTPM: 65
        }
    }

    /// In bytes.
    public var signatureLength: Int {
        switch self {
        case .bls0chain: 32
        case .bls12381MinSig: 48
        case .blsTPM: 33
        }
    }

    /// Whether a wallet's key has a part that is an anchor of the token's.
    var isAnchored: Bool { self != .bls12381MinSig }

    /// Hexadecimal digits of each suite's public keys or signatures, for messages: `128, 192 or 130`.
    public static func digits(_ length: KeyPath<SplitSuite, Int>) -> String {
        let numbers = allCases.map { "\(2 * $0[keyPath: length])" }
        return numbers.dropLast().joined(separator: ", ") + " or " + (numbers.last ?? "")
    }

    /// Tells the suite by the length of a public key.
    public init(publicKeyLength length: Int) throws(SplitKeyError) {
        guard let suite = Self.allCases.first(where: { $0.publicKeyLength == length }) else {
            throw .invalid("a public key has \(Self.digits(\.publicKeyLength)) hexadecimal digits, not \(2 * length)")
        }
        self = suite
    }

    /// A secret scalar of 32 bytes in the suite's order of bytes.
    func generate() throws(SplitKeyError) -> SharedSecret {
        try scalar { output in
            switch self {
            case .bls0chain: try BLS0Chain.generateSecretKey(into: output, from: Self.entropy)
            case .bls12381MinSig: try BLS12381.generateSecretKey(into: output, from: Self.entropy)
            case .blsTPM: try BLSBNP256.generateSecretKey(into: output, from: Self.entropy)
            }
        }
    }

    /// x - y modulo r; nil if that is 0, which is no share.
    func difference(_ x: SharedSecret, _ y: SharedSecret) throws(SplitKeyError) -> SharedSecret? {
        let result = try scalar { output in
            try x.withUnsafeBytes { x in
                try y.withUnsafeBytes { y in
                    switch self {
                    case .bls0chain: try BLS0Chain.subtract(x, y, into: output)
                    case .bls12381MinSig: try BLS12381.subtract(x, y, into: output)
                    case .blsTPM: try BLSBNP256.subtract(x, y, into: output)
                    }
                }
            }
        }
        let isZero = result.withUnsafeBytes { bytes in bytes.reduce(0) { $0 | $1 } == 0 }
        return isZero ? nil : result
    }

    /// The encoded public key of a secret scalar.
    ///
    /// - Throws: `.invalidArgument` outside 1 ..< r; the message names `operand`.
    func publicKey(of secret: SharedSecret, operand: String) throws(SplitKeyError) -> [UInt8] {
        do {
            return try secret.withUnsafeBytes { secret throws(PairingError) in
                switch self {
                case .bls0chain: try BLS0Chain.publicKey(of: secret).encoded
                case .bls12381MinSig: try BLSMinSig.publicKey(of: secret).compressed
                case .blsTPM: try BLSBNP256.publicKey(of: secret).compressed
                }
            }
        } catch {
            throw .invalid("'\(operand)' must be a number of 32 bytes from 1 to the group's order")
        }
    }

    /// Refuses what is not the encoding of a point of the subgroup other than infinity.
    func checkPublicKey(_ bytes: [UInt8], operand: String) throws(SplitKeyError) {
        do throws(PairingError) {
            switch self {
            case .bls0chain: _ = try BN254.G2Point(encoded: bytes)
            case .bls12381MinSig: _ = try BLS12381.G2Point(compressed: bytes)
            case .blsTPM: _ = try BNP256.G2Point(compressed: bytes)
            }
        } catch {
            throw .invalid("'\(operand)' is not a public key: \(error.reason)")
        }
    }

    /// The sum of public keys, which were checked before.
    func sum(_ first: [UInt8], _ others: [UInt8]...) throws(SplitKeyError) -> [UInt8] {
        do throws(PairingError) {
            switch self {
            case .bls0chain:
                var sum = try BN254.G2Point(encoded: first)
                for other in others { sum = sum + (try BN254.G2Point(encoded: other)) }
                return sum.encoded
            case .bls12381MinSig:
                var sum = try BLS12381.G2Point(compressed: first)
                for other in others { sum = sum + (try BLS12381.G2Point(compressed: other)) }
                return sum.compressed
            case .blsTPM:
                var sum = try BNP256.G2Point(compressed: first)
                for other in others { sum = sum + (try BNP256.G2Point(compressed: other)) }
                return sum.compressed
            }
        } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
    }

    private func scalar(
        _ fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws(SplitKeyError) -> SharedSecret {
        do {
            return SharedSecret(try SecretBytes.make(count: 32, fill))
        } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
    }

    /// Unpredictable bytes of the kernel, by way of locked memory.
    static func entropy(_ output: UnsafeMutableRawBufferPointer) throws {
        try SecretBytes.random(count: output.count).withUnsafeBytes { output.copyMemory(from: $0) }
    }
}

extension PairingError {
    /// For callers; says what is wrong and nothing of the bytes.
    var reason: String {
        switch self {
        case .wrongLength(let expected, _): "it must have \(expected) bytes"
        case .invalidFlags: "its flag bits are wrong"
        case .notCanonical: "a coordinate is not below the field's modulus"
        case .notOnCurve: "it is not on the curve"
        case .notInSubgroup: "it is not in the subgroup"
        case .infinity: "it is the point at infinity"
        default: "it is not usable"
        }
    }
}
