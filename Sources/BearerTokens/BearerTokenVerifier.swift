internal import LibCrypto
public import OutboundHTTP
internal import SecretMemory

/// Checks tokens with a shared secret or with the keys of a key set, as the settings say.
///
/// The algorithm of a token only chooses among the configured ones, and each has its own kind of key: a public key is
/// never a secret, and the secret verifies nothing but HS256.
///
/// - Concurrency: any number of calls at once.
public final class BearerTokenVerifier: BearerTokenVerifying {
    private let settings: BearerTokenSettings
    private let keys: KeySetSource?
    private let clock: TokenClock

    /// - Parameters:
    ///   - outbound: Fetches the key set; needed if there is one.
    ///   - report: Told what of the key set is not used, once for each change; for the operator's log.
    public init(
        _ settings: BearerTokenSettings, outbound: (any OutboundSending)? = nil, clock: TokenClock = .system,
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.settings = settings
        self.clock = clock
        if let keySet = settings.keySet, let outbound {
            keys = KeySetSource(keySet, outbound: outbound, clock: clock, report: report)
        } else {
            keys = nil
        }
    }

    public func verify(_ token: String) async throws(BearerTokenError) -> BearerIdentity {
        let token = try CompactToken(token)
        guard settings.algorithms.contains(token.algorithm) else {
            throw BearerTokenError(.signatureInvalid, "the token's alg is not accepted")
        }
        let isSigned: Bool
        if token.algorithm.isAsymmetric {
            guard let keys else { throw BearerTokenError(.signatureInvalid, "the token's alg is not accepted") }
            isSigned = try await Self.isSigned(token, keys)
        } else {
            isSigned = try verifyMAC(token)
        }
        guard isSigned else { throw BearerTokenError(.signatureInvalid, "invalid signature") }
        return try TokenClaims.check(token.claims, settings, now: clock.now())
    }

    /// A key that the token names decides alone. A token without a name may be of any key for its algorithm, and of one that
    /// the issuer has since then.
    private static func isSigned(_ token: CompactToken, _ keys: KeySetSource) async throws(BearerTokenError) -> Bool {
        if try await keys.keys(for: token).contains(where: { $0.verifies(token) }) { return true }
        guard token.keyID == nil else { return false }
        return try await keys.renewedKeys(for: token).contains { $0.verifies(token) }
    }

    private func verifyMAC(_ token: CompactToken) throws(BearerTokenError) -> Bool {
        guard let secret = settings.secret else {
            throw BearerTokenError(.signatureInvalid, "the token's alg is not accepted")
        }
        do throws(LibCryptoError) {
            let expected = try secret.withSecret { key throws(LibCryptoError) in
                try HMAC.sha256(key: key, token.signed)
            }
            return ConstantTime.equal(expected, token.signature)
        } catch {
            throw BearerTokenError(.keysUnavailable, "the token cannot be checked now")
        }
    }
}
