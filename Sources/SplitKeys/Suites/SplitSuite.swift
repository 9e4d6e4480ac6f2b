import Encodings
import LibCrypto
import Pairing
import SecretMemory

/// The signature scheme of a wallet, by the name that the API and the stores give it.
///
/// What differs between suites is in their ``SplitKeyScheme``; nothing else tells one from another.
public struct SplitSuite: RawRepresentable, CaseIterable, Hashable, Sendable, CustomStringConvertible {
    let scheme: any SplitKeyScheme.Type

    init(_ scheme: any SplitKeyScheme.Type) { self.scheme = scheme }

    public init?(rawValue: String) {
        guard let suite = Self.allCases.first(where: { $0.rawValue.isExactly(rawValue) }) else { return nil }
        self = suite
    }

    public var rawValue: String { scheme.suiteName }
    public var description: String { rawValue }

    public static func == (x: SplitSuite, y: SplitSuite) -> Bool { x.scheme == y.scheme }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(scheme)) }

    /// In bytes.
    public var publicKeyLength: Int { scheme.publicKeyLength }
    /// In bytes.
    public var signatureLength: Int { scheme.signatureLength }
    /// Whether a wallet's key has a part that is an anchor of the token's.
    var isAnchored: Bool { scheme.isAnchored }

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
        try scalar { output in try scheme.generateSecretKey(into: output, from: Self.entropy) }
    }

    /// x - y modulo r; nil if that is 0, which is no share.
    func difference(_ x: SharedSecret, _ y: SharedSecret) throws(SplitKeyError) -> SharedSecret? {
        let result = try scalar { output in
            try x.withUnsafeBytes { x in
                try y.withUnsafeBytes { y in try scheme.subtract(x, y, into: output) }
            }
        }
        let isZero = result.withUnsafeBytes { bytes in bytes.reduce(0) { $0 | $1 } == 0 }
        return isZero ? nil : result
    }

    /// A random scalar and what is missing to `secret`.
    func divide(_ secret: SharedSecret) throws(SplitKeyError) -> (scalar: SharedSecret, rest: SharedSecret) {
        for _ in 0..<4 {
            let scalar = try generate()
            if let rest = try difference(secret, scalar) { return (scalar, rest) }
        }
        throw SplitKeyError(.internalFailure, "internal error", detail: "no usable randomness")
    }

    /// The encoded public key of a secret scalar.
    ///
    /// - Throws: `.invalidArgument` outside 1 ..< r; the message names `operand`.
    func publicKey(of secret: SharedSecret, operand: String) throws(SplitKeyError) -> [UInt8] {
        do {
            return try secret.withUnsafeBytes { secret throws(PairingError) in
                try scheme.encodedPublicKey(of: secret)
            }
        } catch {
            throw .invalid("'\(operand)' must be a number of 32 bytes from 1 to the group's order")
        }
    }

    /// Refuses what is not the encoding of a point of the subgroup other than infinity.
    func checkPublicKey(_ bytes: [UInt8], operand: String) throws(SplitKeyError) {
        do throws(PairingError) {
            try scheme.checkPublicKey(bytes)
        } catch {
            throw .invalid("'\(operand)' is not a public key: \(error.reason)")
        }
    }

    /// The sum of public keys, which were checked before.
    func sum(_ first: [UInt8], _ others: [UInt8]...) throws(SplitKeyError) -> [UInt8] {
        do throws(PairingError) {
            return try scheme.sum(first, others)
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
