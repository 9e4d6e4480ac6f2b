import Pairing
import SecretMemory
import Token

/// Finds out what a token can do with anchors: by a throw-away scalar and known answers, never by its mechanism list.
struct AnchorProbe: Sendable {
    let multiplier: AnchorMultiplier

    /// - Throws: `.tokenFailed` while the token is away, `.internalFailure`; a refusal is an answer.
    func run() async throws(AnchorError) -> AnchorCapability {
        let scalar = try Self.scalar()
        let birth = try AnchorBirth(scalar)
        let blob: AnchorBlob
        do throws(AnchorError) {
            blob = try await multiplier.take(scalar, birth, asTokenObject: false)
        } catch {
            guard let refusal = Self.refusal(error) else { throw error }
            return AnchorCapability(canAnchor: false, refusal: refusal, pairing: nil, secondProduct: nil)
        }
        let message = try Self.message()
        var times: [AnchorSettings.Recovery: Duration] = [:]
        for recovery in [AnchorSettings.Recovery.pairing, .secondProduct] {
            times[recovery] = try await fastest(blob, birth, message, recovery)
        }
        await multiplier.token.forgetAnchor(blob)
        return AnchorCapability(
            canAnchor: true, refusal: nil, pairing: times[.pairing], secondProduct: times[.secondProduct])
    }

    /// The best of a few: the machine may be busy.
    private func fastest(
        _ blob: AnchorBlob, _ birth: AnchorBirth, _ message: BLS0Chain.HashedMessage,
        _ recovery: AnchorSettings.Recovery
    ) async throws(AnchorError) -> Duration {
        var best = Duration.seconds(3600)
        for _ in 0..<5 {
            let start = ContinuousClock.now
            _ = try await multiplier.multiply(
                message, by: blob, publicKey: birth.publicKey, point: birth.point, recovery)
            best = min(best, ContinuousClock.now - start)
        }
        return best
    }

    /// What the token refused or did wrong; nil when it may only have been away or busy.
    private static func refusal(_ error: AnchorError) -> HSMError? {
        switch error.code {
        case .wrongAnswer, .damaged:
            return error.cause ?? HSMError(.deviceFailure, error.message)
        case .tokenFailed:
            let unable: [HSMError.Code] = [.mechanismUnsupported, .deviceFailure, .authenticationFailed]
            return error.cause.flatMap { unable.contains($0.code) ? $0 : nil }
        default:
            return nil
        }
    }

    private static func scalar() throws(AnchorError) -> SharedSecret {
        do {
            return SharedSecret(
                try SecretBytes.make(count: 32) { output in
                    try BLS0Chain.generateSecretKey(into: output) { target in
                        let random = try SecretBytes.random(count: target.count)
                        random.withUnsafeBytes { target.copyMemory(from: $0) }
                    }
                })
        } catch {
            throw AnchorError(.internalFailure, "No throw-away scalar could be made: \(error)")
        }
    }

    private static func message() throws(AnchorError) -> BLS0Chain.HashedMessage {
        do throws(PairingError) {
            return try BLS0Chain.HashedMessage(Array("kmsd anchor probe".utf8))
        } catch {
            throw AnchorError(.internalFailure, "A message could not be hashed: \(error)")
        }
    }
}
