import HSMBridge
import Pairing
import SecretMemory

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
            return AnchorCapability(canAnchor: false, refusal: refusal, product: nil, pairing: nil)
        }
        let message = try Self.message()
        let product = try await Self.fastest { () throws(AnchorError) in
            _ = try await multiplier.products([message.point, message.point + .generator], by: blob)
        }
        let signature = try Self.sign(message, scalar)
        let key = BN254.PreparedPublicKey(birth.publicKey)
        let pairing = try await Self.fastest { () throws(AnchorError) in
            guard BLS0Chain.verify(signature, message: message, publicKey: key) else {
                throw AnchorError(.internalFailure, "A signature of a fresh key does not verify.")
            }
        }
        await multiplier.token.forgetAnchor(blob)
        return AnchorCapability(canAnchor: true, refusal: nil, product: product / 2, pairing: pairing)
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

    private static func fastest(_ body: () async throws(AnchorError) -> Void) async throws(AnchorError) -> Duration {
        var best: Duration?
        for _ in 0..<5 {
            let start = ContinuousClock.now
            try await body()
            let taken = ContinuousClock.now - start
            best = best.map { min($0, taken) } ?? taken
        }
        return best ?? .zero
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

    private static func sign(
        _ message: BLS0Chain.HashedMessage, _ scalar: SharedSecret
    ) throws(AnchorError) -> BN254.G1Point {
        do throws(PairingError) {
            return try scalar.withUnsafeBytes { bytes throws(PairingError) in
                try BLS0Chain.sign(message, secretKey: bytes)
            }
        } catch {
            throw AnchorError(.internalFailure, "A throw-away scalar does not sign: \(error)")
        }
    }
}
