import LibCrypto
import SecretMemory
public import Token

/// Proving what the TPM can do, with throw-away keys.
extension TPMToken {
    /// Makes a key of each kind and looks whether what it computes is right; that of a pair is verified outside.
    ///
    /// - Throws: Whatever keeps the TPM away, and `.pcrMismatch`; what it cannot do is part of the report.
    public func probe() async throws(HSMError) -> ProbeReport {
        let identity = try await perform { (connection) throws(HSMError) in connection.identity }
        var capabilities: [ProbeReport.Capability] = []
        for algorithm in ResidentAlgorithm.allCases {
            capabilities.append(
                try await capability(algorithm.rawValue, "making a key included") { () async throws(HSMError) in
                    try await self.prove(algorithm)
                })
        }
        capabilities.append(
            try await capability("result-key", manifest?[.result]?.kind.rawValue) { () async throws(HSMError) in
                try await self.proveResultKey()
            })
        return ProbeReport(token: identity, capabilities: capabilities, parallelSessions: 1)
    }

    private func capability(
        _ name: String, _ detail: String?, _ prove: () async throws(HSMError) -> Void
    ) async throws(HSMError) -> ProbeReport.Capability {
        var capability = ProbeReport.Capability(name: name, outcome: .ok, detail: detail, rate: nil)
        do throws(HSMError) {
            let start = ContinuousClock.now
            try await prove()
            let elapsed = (ContinuousClock.now - start).components
            capability.rate = 1 / (Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18)
        } catch {
            guard [.mechanismUnsupported, .deviceFailure].contains(error.code) else { throw error }
            capability.outcome = error.code == .mechanismUnsupported ? .absent : .failed
            capability.detail = error.cause.map { "\($0)" } ?? error.message
        }
        return capability
    }

    /// The daemon's own key signs, since nothing can be done with a signature of these bytes.
    private func proveResultKey() async throws(HSMError) {
        guard manifest?[.result] != nil else {
            throw HSMError(.mechanismUnsupported, "This TPM was provisioned without one; run `kmsd init`.")
        }
        let message = ResultMessage(Array("kmsd probe".utf8)).encoded
        let signature = try await sign(message, with: .result)
        let key = try await publicKey(of: .result)
        let verifier = try? VerificationKey(curve: .p256, publicKey: key.point)
        guard (try? verifier?.verify(signature, message: message, encoding: .p1363)) == true else {
            throw HSMError(.deviceFailure, "The signature of a result does not verify.")
        }
    }

    private func prove(_ algorithm: ResidentAlgorithm) async throws(HSMError) {
        let key = try await generateResident(algorithm)
        let message = Array("kmsd probe".utf8)
        let isRight: Bool
        if algorithm == .hmacSHA256 {
            let first = try await mac(message, with: key)
            isRight = try await mac(message, with: key) == first && first.count == 32
        } else if algorithm.isAgreement, let curve = algorithm.tpmCurve?.agreementCurve, let publicKey = key.publicKey {
            isRight = try await agrees(key, publicKey, on: curve)
        } else if let curve = algorithm.tpmCurve?.curve, let publicKey = key.publicKey {
            let digest: [UInt8]
            do { digest = try curve.digest(of: message) } catch {
                throw HSMError(.deviceFailure, "Could not hash a message: \(error).")
            }
            let signature = try await sign(digest: digest, with: key)
            let verifier = try? VerificationKey(curve: curve, publicKey: publicKey)
            isRight = (try? verifier?.verify(signature, message: message, encoding: .p1363)) == true
        } else {
            isRight = false
        }
        await forget(key.identifier)
        guard isRight else { throw HSMError(.deviceFailure, "The TPM gave a wrong answer.") }
    }

    /// Whether both sides of an agreement find the same secret.
    private func agrees(
        _ key: ResidentKeyBlob, _ publicKey: [UInt8], on curve: AgreementCurve
    ) async throws(HSMError) -> Bool {
        let stranger: AgreementKey
        do { stranger = try AgreementKey.generate(curve) } catch {
            throw HSMError(.overloaded, "Could not make a key to agree with: \(error).")
        }
        let found = try await agree(with: stranger.publicKey, key: key)
        let expected: SharedSecret
        do { expected = SharedSecret(try stranger.agree(with: publicKey)) } catch { return false }
        return found.withSecret { found in expected.withSecret { $0.constantTimeEquals(found) } }
    }
}
