import Anchors
import Pairing
import SecretMemory

/// Makes the wallet's signature of the caller's half and the server's, and lets nothing out that does not verify.
///
/// The caller's half is proven before the server's is made, and the sum before it leaves. The server's half alone never
/// leaves this type: it would be worth a signature to whoever steals the user's share later.
struct ShareCombiner: Sendable {
    let keepers: AnchorKeepers
    private let keys = VerifyingKeys()

    init(keepers: AnchorKeepers) { self.keepers = keepers }

    /// A caller's half that verified under its public key.
    struct ProvenHalf: Sendable {
        /// A ``Half`` of the suite's scheme.
        fileprivate let half: any Sendable
    }

    private struct Half<Scheme: SplitKeyScheme>: Sendable {
        let point: Scheme.Signature
        let message: Scheme.HashedMessage
    }

    /// Checks the caller's half: its form first, then one product of pairings.
    ///
    /// - Parameter key: The caller's public key.
    /// - Throws: `.invalidArgument` for what is no signature; `.shareInvalid` for one that does not verify.
    func prove(
        _ request: CosignRequest, _ suite: SplitSuite, under key: [UInt8]
    ) throws(SplitKeyError) -> ProvenHalf {
        try prove(request, suite.scheme, under: key)
    }

    private func prove<Scheme: SplitKeyScheme>(
        _ request: CosignRequest, _ scheme: Scheme.Type, under encoded: [UInt8]
    ) throws(SplitKeyError) -> ProvenHalf {
        let key = try keys.key(encoded, scheme)
        let half: Half<Scheme>
        do throws(PairingError) {
            half = Half(
                point: try Scheme.Signature(encoding: request.share),
                message: try scheme.hashed(request.hash, purpose: request.purpose))
        } catch {
            throw .invalid("'signature' is not a signature: \(error.reason)")
        }
        guard scheme.verify(half.point, message: half.message, publicKey: key) else { throw Self.wrongShare }
        return ProvenHalf(half: half)
    }

    /// Adds the server's half.
    ///
    /// - Throws: `.faulty` if the sum does not verify although the caller's half did; `.tokenUnavailable`.
    func signature(_ half: ProvenHalf, _ share: OpenedShare) async throws(SplitKeyError) -> [UInt8] {
        try await signature(half, share, share.record.suite.scheme)
    }

    private func signature<Scheme: SplitKeyScheme>(
        _ proven: ProvenHalf, _ share: OpenedShare, _ scheme: Scheme.Type
    ) async throws(SplitKeyError) -> [UInt8] {
        // The row was read again since the half was proven.
        guard let half = proven.half as? Half<Scheme> else { throw .damaged("split key") }
        let key = try keys.key(share.record.clientKey, scheme)
        let signature = half.point + (try await serverHalf(half.message, share, scheme))
        guard scheme.verify(signature, message: half.message, publicKey: key) else { throw Self.fault }
        return signature.encoding
    }

    /// The anchor's multiple of the message, where the scheme has anchors, and the signature of the stored part.
    private func serverHalf<Scheme: SplitKeyScheme>(
        _ message: Scheme.HashedMessage, _ share: OpenedShare, _ scheme: Scheme.Type
    ) async throws(SplitKeyError) -> Scheme.Signature {
        do {
            let anchored = scheme.isAnchored ? try await multiple(message, share, scheme) : nil
            let stored = try share.secret.withUnsafeBytes { secret throws(PairingError) in
                try scheme.sign(message, secretKey: secret)
            }
            return if let anchored { anchored + stored } else { stored }
        } catch {
            throw SplitKeyError(keeper: error)
        }
    }

    private func multiple<Scheme: SplitKeyScheme>(
        _ message: Scheme.HashedMessage, _ share: OpenedShare, _ scheme: Scheme.Type
    ) async throws -> Scheme.Signature {
        guard let anchor = share.anchor else { throw SplitKeyError.damaged("split key") }
        return try await scheme.multiply(anchor.record, message, identity: anchor.row.identity, by: keepers)
    }

    static let wrongShare = SplitKeyError(
        .shareInvalid, "'signature' does not verify under the key in X-Peer-Public-Key")
    static let fault = SplitKeyError(
        .faulty, "the combined signature does not verify; nothing was released",
        detail: "the token's answer or the stored share is wrong: run `kmsd doctor` and check the store")
}

extension SplitKeyError {
    /// Of what a keeper of anchors threw.
    init(keeper error: any Error) {
        switch error {
        case let error as SplitKeyError: self = error
        case let error as AnchorError: self.init(anchor: error)
        default: self.init(.internalFailure, "internal error", underlying: error)
        }
    }

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
