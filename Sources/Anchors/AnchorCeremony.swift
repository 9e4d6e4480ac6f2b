import LibCrypto
import Pairing
import SecretMemory
import Token

/// The import of a scalar and its confirmation.
extension AnchorMultiplier {
    /// Imports a scalar and proves, by what the token answers afterwards, that it multiplies by exactly this one: on the
    /// generator, on a hashed message nobody foresaw, and on their sum; and that both public values are of one scalar.
    ///
    /// - Throws: `.wrongAnswer` if the token's key is another one; then nothing of it is left.
    func take(
        _ scalar: SharedSecret, _ birth: AnchorBirth, asTokenObject: Bool
    ) async throws(AnchorError) -> AnchorBlob {
        let blob: AnchorBlob
        do throws(HSMError) {
            blob = try await token.importAnchor(asTokenObject: asTokenObject, AnchorTransport.sender(of: scalar))
        } catch {
            throw AnchorError(.tokenFailed, "The token did not import an anchor.", cause: error)
        }
        do throws(AnchorError) {
            try await confirm(blob, scalar, birth)
            return blob
        } catch {
            try? await token.destroyAnchor(blob)
            throw error
        }
    }

    private func confirm(_ blob: AnchorBlob, _ scalar: SharedSecret, _ birth: AnchorBirth) async throws(AnchorError) {
        guard BLS0Chain.isAnchor(birth.point, of: BN254.PreparedPublicKey(birth.publicKey)) else {
            throw AnchorError(.internalFailure, "The two public values of an anchor are not of one scalar.")
        }
        let message: BLS0Chain.HashedMessage
        let expected: [BN254.G1Point]
        do {
            message = try BLS0Chain.HashedMessage(try Random.bytes(32))
            let product = try scalar.withUnsafeBytes { try BLS0Chain.sign(message, secretKey: $0) }
            expected = [birth.point, product, product + birth.point]
        } catch {
            throw AnchorError(.internalFailure, "An anchor's confirmation could not be computed: \(error)")
        }
        let products = try await products([.generator, message.point, message.point + .generator], by: blob)
        for (x, point) in zip(products, expected) {
            guard let bytes = point.uncompressedBigEndian, ConstantTime.equal(x, Array(bytes[1...32])) else {
                throw AnchorError.wrongAnswer("the key it imported is another one")
            }
        }
    }
}
