import Pairing
import Token

/// Asks the token for a product and finds its sign; an answer that is not the anchor's multiple goes nowhere.
struct AnchorMultiplier: Sendable {
    let token: any AnchorMultiplying

    /// `[h]H(m)`, h being what the two public values say.
    func multiply(
        _ message: BLS0Chain.HashedMessage, by blob: AnchorBlob, publicKey: BN254.G2Point, point: BN254.G1Point,
        _ recovery: AnchorSettings.Recovery
    ) async throws(AnchorError) -> BN254.G1Point {
        let wantsSum = recovery == .secondProduct
        let products = try await products(
            wantsSum ? [message.point, message.point + .generator] : [message.point], by: blob)
        do throws(PairingError) {
            if wantsSum, let signature = try Self.recover(products, message, point) { return signature }
            return try BLS0Chain.recoverAnchored(
                x: products[0], message: message, anchor: BN254.PreparedPublicKey(publicKey))
        } catch {
            // What is unwrapped may be what is wrong: the next use starts from the record.
            await token.forgetAnchor(blob)
            throw AnchorError.wrongAnswer("\(error)")
        }
    }

    /// nil in positions of negligible probability, which only a pairing decides.
    private static func recover(
        _ products: [[UInt8]], _ message: BLS0Chain.HashedMessage, _ point: BN254.G1Point
    ) throws(PairingError) -> BN254.G1Point? {
        do throws(PairingError) {
            return try BLS0Chain.recoverAnchored(
                x: products[0], xOfSum: products[1], message: message, anchor: point)
        } catch .invalidHashInput {
            return nil
        }
    }

    /// x coordinates of [h]P. The points are hashes, a hash and the generator, or the generator: never a caller's.
    func products(_ points: [BN254.G1Point], by blob: AnchorBlob) async throws(AnchorError) -> [[UInt8]] {
        var encoded: [[UInt8]] = []
        for point in points {
            guard let bytes = point.uncompressedBigEndian else {
                throw AnchorError(.internalFailure, "The sum of a hash and the generator is infinity.")
            }
            encoded.append(bytes)
        }
        do throws(HSMError) {
            return try await token.multiply(encoded, by: blob)
        } catch {
            if error.code == .keyMissing, blob.storage == .object {
                throw AnchorError(.damaged, "The token no longer holds an anchor.", cause: error)
            }
            throw AnchorError.from(error, "The token did not multiply by an anchor")
        }
    }
}
