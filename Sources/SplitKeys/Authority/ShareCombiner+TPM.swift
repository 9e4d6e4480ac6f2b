import Anchors
import Pairing
import SecretMemory

/// Wallets whose infrastructure share is a key of a TPM.
extension ShareCombiner {
    /// The server's half: the TPM's multiple of the message's point, and the correction.
    func blsTPM(
        _ message: BLSBNP256.HashedMessage, _ share: OpenedShare
    ) async throws(SplitKeyError) -> BNP256.G1Point {
        guard let wholePoints else { throw .noWholePoints }
        guard let anchor = share.anchor else { throw .damaged("split key") }
        let anchored: BNP256.G1Point
        do throws(AnchorError) {
            anchored = try await wholePoints.multiply(anchor.record, message, identity: anchor.row.identity)
        } catch {
            throw SplitKeyError(anchor: error)
        }
        do throws(PairingError) {
            return anchored
                + (try share.secret.withUnsafeBytes { secret throws(PairingError) in
                    try BLSBNP256.sign(message, secretKey: secret)
                })
        } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
    }
}

extension SplitKeyError {
    static let noWholePoints = SplitKeyError(
        .unsupported, "the suite '\(SplitSuite.blsTPM.rawValue)' needs a TPM that computes on TPM_ECC_BN_P256")
}
