internal import Crypto
import LibCrypto
public import SecretMemory

/// A public key that secrets are sealed to: the encapsulation key of ML-KEM and the point of a token's agreement key.
///
/// - Concurrency: a value.
public struct HybridRecipient: Sendable, Hashable {
    public let suite: HybridSuite
    /// ML-KEM encapsulation key ‖ 0x04 ‖ X ‖ Y.
    public let bytes: [UInt8]

    var encapsulationKey: [UInt8] { Array(bytes[..<suite.encapsulationKeyLength]) }
    /// The token's public key, uncompressed.
    public var point: [UInt8] { Array(bytes[suite.encapsulationKeyLength...]) }

    /// - Parameter bytes: ``HybridSuite/publicKeyLength`` bytes; the suite is found by the length.
    /// - Throws: `.recipientRefused` for another length, for coefficients that are not below q (FIPS 203 §7.2) and for what is
    ///   not a point of the curve.
    public init(_ bytes: [UInt8]) throws(HybridSealingError) {
        guard let suite = HybridSuite.allCases.first(where: { $0.publicKeyLength == bytes.count }) else {
            throw HybridSealingError(
                .recipientRefused, "A public key of a slot has 1249 or 1665 bytes, not \(bytes.count).")
        }
        self.suite = suite
        self.bytes = bytes
        do {
            switch suite {
            case .mlkem768p256: _ = try MLKEM768.PublicKey(rawRepresentation: encapsulationKey)
            case .mlkem1024p384: _ = try MLKEM1024.PublicKey(rawRepresentation: encapsulationKey)
            }
        } catch {
            throw HybridSealingError(.recipientRefused, "The ML-KEM half of the public key is not one.")
        }
        do throws(LibCryptoError) {
            try AgreementKey.check(point, on: suite.curve)
        } catch {
            throw HybridSealingError(.recipientRefused, "The point of the public key: \(error.message)")
        }
    }

    /// The public key of a seed and a token's point.
    ///
    /// - Parameters:
    ///   - seed: ``HybridSuite/seedLength`` bytes.
    ///   - point: Uncompressed.
    public static func make(
        _ suite: HybridSuite, seed: borrowing SecretBytes, point: [UInt8]
    ) throws(HybridSealingError) -> HybridRecipient {
        try HybridRecipient(try MLKEM.publicKey(suite, seed: seed) + point)
    }
}

extension HybridSuite {
    var curve: AgreementCurve { self == .mlkem768p256 ? .p256 : .p384 }
}
