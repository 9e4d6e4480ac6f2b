import Encodings

/// How a scalar reaches a token without crossing PKCS #11 in the clear: under a key that only the token and the caller
/// agreed on, for this one import.
package struct AnchorDelivery: Sendable {
    /// The PKCS #8 of a scalar on CurveFp254BNb (RFC 5915) without its last 32 bytes, which are the scalar, big-endian.
    package static let privateKeyPrefix: [UInt8] = {
        let ecPublicKey: [UInt8] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]
        let scalar = [UInt8](repeating: 0, count: 32)
        let privateKey = DER.element(0x30, [0x02, 0x01, 0x01] + DER.element(0x04, scalar))
        let whole = DER.element(
            0x30,
            [0x02, 0x01, 0x00] + DER.element(0x30, ecPublicKey + PairingParameters.bn254)
                + DER.element(0x04, privateKey))
        return Array(whole.dropLast(scalar.count))
    }()

    /// The caller's ephemeral public key, 04 ‖ X ‖ Y on P-256.
    package var publicKey: [UInt8]
    /// The PKCS #8 wrapped with padding (RFC 5649) under the x coordinate that the two keys agree on.
    package var wrapped: [UInt8]

    package init(publicKey: [UInt8], wrapped: [UInt8]) {
        self.publicKey = publicKey
        self.wrapped = wrapped
    }

    /// Answers the token's ephemeral public key, 04 ‖ X ‖ Y on P-256.
    package typealias Sender = @Sendable ([UInt8]) throws(HSMError) -> AnchorDelivery
}
