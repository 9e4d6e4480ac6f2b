import Pairing
import SecretMemory

/// The public values of a scalar, computed while it is still here.
struct AnchorBirth: Sendable {
    let publicKey: BN254.G2Point
    let point: BN254.G1Point

    /// - Throws: `.internalFailure` for anything but 32 bytes in 1 ..< r.
    init(_ scalar: SharedSecret) throws(AnchorError) {
        do throws(PairingError) {
            publicKey = try scalar.withUnsafeBytes { bytes throws(PairingError) in
                try BLS0Chain.publicKey(of: bytes)
            }
            point = try scalar.withUnsafeBytes { bytes throws(PairingError) in
                try BLS0Chain.anchorPoint(of: bytes)
            }
        } catch {
            throw AnchorError(.internalFailure, "An anchor's scalar has 32 bytes in 1 ..< r: \(error)")
        }
    }

    func record(_ mode: AnchorRecord.Mode, _ blob: [UInt8]) -> AnchorRecord {
        AnchorRecord(mode: mode, blob: blob, publicKey: publicKey.encoded, point: point.encoded)
    }
}
