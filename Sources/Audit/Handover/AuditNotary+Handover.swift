import Encodings
public import Token

extension AuditNotary {
    /// Tries at most, each with a record of its own.
    private static let tries = 3

    /// Lets the chain go over to another token's audit key: by a record that the other key has signed, which the other token
    /// remembers as the chain's head, and whose checkpoint this token's key signs. Killed before the checkpoint is stored, the
    /// chain is this token's as before; from then on it is the other's, and this process can write nothing more that counts.
    ///
    /// - Parameters:
    ///   - next: The other token.
    ///   - manifest: What it was provisioned as.
    ///   - transcript: SHA-256 of the migration's transcript in hex.
    /// - Throws: `HSMError`, ``AuditError``.
    public func handOver(
        to next: any Backend, manifest: TokenManifest, transcript: String, by actor: String
    ) async throws {
        await chain.flush()
        for _ in 0..<Self.tries {
            let head = chain.head
            let key = try await next.publicKey(of: .audit)
            var handover = AuditHandover(
                from: fingerprint, to: key.fingerprint, publicKey: key.subjectPublicKeyInfo,
                token: manifest.token.serial, instance: manifest.instance, previous: head.position.hash,
                transcript: transcript)
            handover.signature = try await next.sign(handover.encoded, with: .audit)
            let position = try await chain.recordDone(handover.event(by: actor))
            // Something else was recorded in between: the words are about another place.
            guard position.index == head.position.index + 1 else { continue }
            let now = chain.head
            guard now.position == position else { continue }
            do throws(HSMError) {
                _ = try await next.keepAnew(now.encoded, as: Self.name)
            } catch {
                // It remembers nothing, as the daemon will tell.
                guard error.code == .mechanismUnsupported else { throw error }
            }
            try await checkpoint(of: position)
            return
        }
        throw AuditError(.overloaded, "The audit chain does not stand still; try again.")
    }
}
