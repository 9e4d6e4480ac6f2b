import Encodings
import LibCrypto
import SecretMemory
import Token

extension Connector {
    /// Proves a pair that seals before anything is sealed to it.
    ///
    /// The public half is the manifest's. It is believed when the audit key signed for it, when the token opens the sealing
    /// secret with the private half, and when it opens what was sealed to the public half just now.
    func resolveSealingPair(
        _ role: KeyRole, _ record: TokenManifest.Key, _ manifest: TokenManifest, _ key: ObjectHandle,
        _ session: borrowing Session
    ) throws(HSMError) -> Connection.RoleKey {
        let half = try SealingHalf(record)
        guard try half.fingerprint == record.fingerprint else { throw Self.mismatch(record) }
        try SealingSecret.checkProof(role, record, manifest)
        // A decryption under another RSA key fails as a broken device does; the private object tells its modulus.
        if case .rsa(let publicKey, _) = half, let modulus = try session.attribute(.modulus, of: key),
            Array(modulus.drop { $0 == 0 }) != publicKey.modulus
        {
            throw Self.mismatch(record)
        }
        try proveSentinel(role, record, manifest, key, session)
        let sealing = PublicSealing(
            half: half,
            secret: try PublicSealing(half: half, secret: nil).open(
                record.sentinel.flatMap { Hexadecimal.decode($0) } ?? [], session: session, key: key,
                context: TokenManifest.sentinelContext(instance: manifest.instance, role: role)))
        guard try sealing.isProved(by: key, session: session) else { throw Self.mismatch(record) }
        return Connection.RoleKey(
            kind: record.kind, original: key, hot: hotCopy(of: key, session), publicKey: nil, sealing: sealing)
    }
}
