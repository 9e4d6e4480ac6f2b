import Anchors
import Pairing
import SecretMemory

/// Makes the wallet's signature of the caller's half and the server's, and lets nothing out that does not verify.
///
/// The halves are checked by one product of pairings. The server's half alone never leaves this type: it would be worth
/// a signature to whoever steals the user's share later.
struct ShareCombiner: Sendable {
    let anchors: any AnchorKeeping
    /// nil where the token computes on no curve with a pairing.
    let wholePoints: (any WholePointKeeping)?

    /// What the signatures of the suites other than 0Chain's are over.
    static func tagged(_ purpose: String, _ payload: [UInt8]) -> [UInt8] {
        BLSBNP256.splitMessage(purpose: purpose, payload)
    }

    /// - Throws: `.shareInvalid` for a wrong half of the caller's; `.faulty` if the sum is wrong although both the halves'
    ///   keys are right; `.tokenUnavailable`.
    func signature(_ request: CosignRequest, _ share: OpenedShare) async throws(SplitKeyError) -> [UInt8] {
        switch share.keys {
        case .bls0chain(let client, let peer):
            return try await bls0chain(request, share, client: client, peer: peer)
        case .bls12381(let client, let peer):
            return try bls12381(request, share, client: client, peer: peer)
        case .blsTPM(let client, let peer):
            return try await blsTPM(request, share, client: client, peer: peer)
        }
    }

    private func bls0chain(
        _ request: CosignRequest, _ share: OpenedShare, client: BN254.G2Point, peer: BN254.G2Point
    ) async throws(SplitKeyError) -> [UInt8] {
        let user: BN254.G1Point
        let message: BLS0Chain.HashedMessage
        do throws(PairingError) {
            user = try BN254.G1Point(encoded: request.share)
            message = try BLS0Chain.HashedMessage(request.hash)
        } catch {
            throw .invalid("'signature' is not a signature: \(error.reason)")
        }
        guard let anchor = share.anchor else { throw .damaged("split key") }
        let anchored: BN254.G1Point
        do {
            anchored = try await anchors.multiply(anchor.record, message, identity: anchor.row.identity)
        } catch {
            throw SplitKeyError(anchor: error)
        }
        do {
            let correction = try share.secret.withUnsafeBytes { secret throws(PairingError) in
                try BLS0Chain.sign(message, secretKey: secret)
            }
            let signature = user + anchored + correction
            if try BLS0Chain.verifyEach(
                [(user, peer), (signature, client)], message: message, from: SplitSuite.entropy)
            {
                return signature.encoded
            }
            let isUserRight = BLS0Chain.verify(
                user, message: message, publicKey: BN254.PreparedPublicKey(peer))
            throw isUserRight ? Self.fault : Self.wrongShare
        } catch let error as SplitKeyError {
            throw error
        } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
    }

    private func bls12381(
        _ request: CosignRequest, _ share: OpenedShare, client: BLS12381.PreparedPublicKey,
        peer: BLS12381.PreparedPublicKey
    ) throws(SplitKeyError) -> [UInt8] {
        let user: BLS12381.G1Point
        let message: BLSMinSig.HashedMessage
        do throws(PairingError) {
            user = try BLS12381.G1Point(compressed: request.share)
            message = try BLSMinSig.HashedMessage(
                Self.tagged(request.purpose, request.hash), tag: BLSMinSig.basicTag)
        } catch {
            throw .invalid("'signature' is not a signature: \(error.reason)")
        }
        guard BLSMinSig.verify(user, message: message, publicKey: peer) else { throw Self.wrongShare }
        let server: BLS12381.G1Point
        do throws(PairingError) {
            server = try share.secret.withUnsafeBytes { secret throws(PairingError) in
                try BLSMinSig.sign(message, secretKey: secret)
            }
        } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
        let signature = user + server
        guard BLSMinSig.verify(signature, message: message, publicKey: client) else { throw Self.fault }
        return signature.compressed
    }

    static let wrongShare = SplitKeyError(
        .shareInvalid, "'signature' does not verify under the key in X-Peer-Public-Key")
    static let fault = SplitKeyError(
        .faulty, "the combined signature does not verify; nothing was released",
        detail: "the token's answer or the stored share is wrong: run `kmsd doctor` and check the store")
}

extension SplitKeyError {
    init(anchor error: AnchorError) {
        switch error.code {
        case .unsupported:
            self.init(
                .unsupported, "this server's token does not hold keys of this suite", underlying: error)
        case .tokenFailed:
            self.init(.tokenUnavailable, "the token is not available now; nothing was signed", underlying: error)
        case .wrongAnswer:
            self.init(
                .faulty, "the token gave a wrong answer; nothing was released",
                detail: "its answer is not the anchor's multiple", underlying: error)
        case .damaged: self = .damaged("anchor", error)
        default: self.init(.internalFailure, "internal error", underlying: error)
        }
    }
}
