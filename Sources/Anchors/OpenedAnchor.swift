import Pairing
import Token

/// An anchor whose record the token opened and authenticated; still nothing secret.
struct OpenedAnchor: Sendable {
    let blob: AnchorBlob
    let publicKey: BN254.G2Point
    let point: BN254.G1Point

    init(record: AnchorRecord, blob: AnchorBlob) throws(AnchorError) {
        self.blob = blob
        do throws(PairingError) {
            publicKey = try BN254.G2Point(encoded: record.publicKey)
            point = try BN254.G1Point(encoded: record.point)
        } catch {
            throw AnchorError(.damaged, "The public values of an anchor are no points: \(error)")
        }
    }
}
