/// The hybrid KEMs of HPKE whose classical half is an agreement on a curve that tokens and TPMs have.
///
/// - Source: draft-ietf-hpke-pq (KEM identifiers 0x0050 and 0x0051), RFC 9180, FIPS 203.
public enum HybridSuite: String, Sendable, CaseIterable {
    /// ML-KEM-768 and P-256.
    case mlkem768p256 = "MLKEM768-P256"
    /// ML-KEM-1024 and P-384.
    case mlkem1024p384 = "MLKEM1024-P384"

    /// HPKE's identifier of the KEM.
    var identifier: UInt16 { self == .mlkem768p256 ? 0x0050 : 0x0051 }
    /// Bytes of an ML-KEM encapsulation key.
    var encapsulationKeyLength: Int { self == .mlkem768p256 ? 1184 : 1568 }
    /// Bytes of an ML-KEM ciphertext.
    var ciphertextLength: Int { self == .mlkem768p256 ? 1088 : 1568 }
    /// Bytes of a coordinate, and so of an agreed secret.
    public var fieldLength: Int { self == .mlkem768p256 ? 32 : 48 }
    /// Bytes of an uncompressed point.
    public var pointLength: Int { 1 + 2 * fieldLength }
    /// Bytes of ML-KEM ciphertext and ephemeral point together.
    var encapsulationLength: Int { ciphertextLength + pointLength }
    /// Bytes of a public key: encapsulation key ‖ point.
    public var publicKeyLength: Int { encapsulationKeyLength + pointLength }
    /// Bytes that what is sealed is longer than the secret.
    public var overhead: Int { encapsulationLength + 16 }
    /// Bytes of an ML-KEM seed (d ‖ z).
    public static let seedLength = 64

    /// Domain of the combiner.
    var label: [UInt8] { Array(rawValue.utf8) }
}
