import Anchors
import Pairing
import SecretMemory

/// Makes the wallet's signature of the caller's half and the server's, and lets nothing out that does not verify.
///
/// The caller's half is proven before the server's is made, and the sum before it leaves. The server's half alone never
/// leaves this type: it would be worth a signature to whoever steals the user's share later.
struct ShareCombiner: Sendable {
    let anchors: any AnchorKeeping
    /// nil where the token computes on no curve with a pairing.
    let wholePoints: (any WholePointKeeping)?

    /// What the signatures of the suites other than 0Chain's are over.
    static func tagged(_ purpose: String, _ payload: [UInt8]) -> [UInt8] {
        BLSBNP256.splitMessage(purpose: purpose, payload)
    }

    /// A caller's half that verified under its public key.
    struct ProvenHalf: Sendable {
        fileprivate enum Point {
            case bls0chain(BLS0Chain.Signature, BLS0Chain.HashedMessage)
            case bls12381(BLSMinSig.Signature, BLSMinSig.HashedMessage)
            case blsTPM(BNP256.G1Point, BLSBNP256.HashedMessage)
        }

        fileprivate let point: Point
    }

    /// Checks the caller's half: its form first, then one product of pairings.
    ///
    /// - Throws: `.invalidArgument` for what is no signature; `.shareInvalid` for one that does not verify.
    func prove(_ request: CosignRequest, under key: VerifyingKey) throws(SplitKeyError) -> ProvenHalf {
        let half: ProvenHalf
        let isRight: Bool
        do throws(PairingError) {
            switch key {
            case .bls0chain(let key):
                let user = try BN254.G1Point(encoded: request.share)
                let message = try BLS0Chain.HashedMessage(request.hash)
                half = ProvenHalf(point: .bls0chain(user, message))
                isRight = BLS0Chain.verify(user, message: message, publicKey: key)
            case .bls12381(let key):
                let user = try BLS12381.G1Point(compressed: request.share)
                let message = try BLSMinSig.HashedMessage(
                    Self.tagged(request.purpose, request.hash), tag: BLSMinSig.basicTag)
                half = ProvenHalf(point: .bls12381(user, message))
                isRight = BLSMinSig.verify(user, message: message, publicKey: key)
            case .blsTPM(let key):
                let user = try BNP256.G1Point(compressed: request.share)
                let message = try BLSBNP256.HashedMessage(Self.tagged(request.purpose, request.hash))
                half = ProvenHalf(point: .blsTPM(user, message))
                isRight = BLSBNP256.verify(user, message: message, publicKey: key)
            }
        } catch {
            throw .invalid("'signature' is not a signature: \(error.reason)")
        }
        guard isRight else { throw Self.wrongShare }
        return half
    }

    /// Adds the server's half.
    ///
    /// - Parameter key: The wallet's public key.
    /// - Throws: `.faulty` if the sum does not verify although the caller's half did; `.tokenUnavailable`.
    func signature(
        _ half: ProvenHalf, _ share: OpenedShare, under key: VerifyingKey
    ) async throws(SplitKeyError) -> [UInt8] {
        switch (half.point, key) {
        case (.bls0chain(let user, let message), .bls0chain(let key)):
            let signature = user + (try await bls0chain(message, share))
            guard BLS0Chain.verify(signature, message: message, publicKey: key) else { throw Self.fault }
            return signature.encoded
        case (.bls12381(let user, let message), .bls12381(let key)):
            let signature = user + (try bls12381(message, share))
            guard BLSMinSig.verify(signature, message: message, publicKey: key) else { throw Self.fault }
            return signature.compressed
        case (.blsTPM(let user, let message), .blsTPM(let key)):
            let signature = user + (try await blsTPM(message, share))
            guard BLSBNP256.verify(signature, message: message, publicKey: key) else { throw Self.fault }
            return signature.compressed
        default: throw .damaged("split key")
        }
    }

    private func bls0chain(
        _ message: BLS0Chain.HashedMessage, _ share: OpenedShare
    ) async throws(SplitKeyError) -> BLS0Chain.Signature {
        guard let anchor = share.anchor else { throw .damaged("split key") }
        let anchored: BN254.G1Point
        do {
            anchored = try await anchors.multiply(anchor.record, message, identity: anchor.row.identity)
        } catch {
            throw SplitKeyError(anchor: error)
        }
        do {
            return anchored
                + (try share.secret.withUnsafeBytes { secret throws(PairingError) in
                    try BLS0Chain.sign(message, secretKey: secret)
                })
        } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
    }

    private func bls12381(
        _ message: BLSMinSig.HashedMessage, _ share: OpenedShare
    ) throws(SplitKeyError) -> BLSMinSig.Signature {
        do throws(PairingError) {
            return try share.secret.withUnsafeBytes { secret throws(PairingError) in
                try BLSMinSig.sign(message, secretKey: secret)
            }
        } catch {
            throw SplitKeyError(.internalFailure, "internal error", underlying: error)
        }
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
