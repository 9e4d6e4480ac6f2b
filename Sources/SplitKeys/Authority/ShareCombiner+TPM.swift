import Anchors
import Pairing
import SecretMemory

/// Wallets whose infrastructure share is a key of a TPM.
extension ShareCombiner {
    /// The caller's half is verified before the TPM, the slowest part, is asked; the sum before it is let out.
    func blsTPM(
        _ request: CosignRequest, _ share: OpenedShare, client: BNP256.PreparedPublicKey,
        peer: BNP256.PreparedPublicKey
    ) async throws(SplitKeyError) -> [UInt8] {
        guard let wholePoints else { throw .noWholePoints }
        guard let anchor = share.anchor else { throw .damaged("split key") }
        let user: BNP256.G1Point
        let message: BLSBNP256.HashedMessage
        do throws(PairingError) {
            user = try BNP256.G1Point(compressed: request.share)
            message = try BLSBNP256.HashedMessage(Self.tagged(request.purpose, request.hash))
        } catch {
            throw .invalid("'signature' is not a signature: \(error.reason)")
        }
        guard BLSBNP256.verify(user, message: message, publicKey: peer) else { throw Self.wrongShare }
        let anchored: BNP256.G1Point
        do throws(AnchorError) {
            anchored = try await wholePoints.multiply(anchor.record, message, identity: anchor.row.identity)
        } catch {
            throw SplitKeyError(anchor: error)
        }
        let correction: BNP256.G1Point
        do throws(PairingError) {
            correction = try share.secret.withUnsafeBytes { secret throws(PairingError) in
                try BLSBNP256.sign(message, secretKey: secret)
            }
        } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
        let signature = user + anchored + correction
        guard BLSBNP256.verify(signature, message: message, publicKey: client) else { throw Self.fault }
        return signature.compressed
    }
}

extension SplitKeyError {
    static let noWholePoints = SplitKeyError(
        .unsupported, "the suite '\(SplitSuite.blsTPM.rawValue)' needs a TPM that computes on TPM_ECC_BN_P256")
}
