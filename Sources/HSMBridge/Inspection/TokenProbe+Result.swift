import Token

/// Which key would sign results here.
extension TokenProbe {
    /// Signs a result with a throw-away key of the first of the role's kinds that the token makes.
    mutating func resultKey() throws(HSMError) -> Double? {
        var refusal = HSMError(.mechanismUnsupported, "No kind of key serves the role.")
        for kind in KeyRole.result.kinds {
            guard let curve = kind.curve else { continue }
            do throws(HSMError) {
                try signResult(curve)
            } catch {
                guard error.code == .mechanismUnsupported else { throw error }
                refusal = error
                continue
            }
            remark = kind.rawValue
            return nil
        }
        throw refusal
    }

    private mutating func signResult(_ curve: EllipticCurve) throws(HSMError) {
        let pair = try generatePair(
            curve, [.flag(.sign, true), .flag(.extractable, false), .allowedMechanisms([.ecdsa])],
            publicUsage: [.flag(.verify, true)])
        let digest = try session.sha256(ResultMessage(Array("kmsd probe".utf8)).encoded)
        var signature = try session.sign(.ecdsa, key: pair.privateKey, digest, length: curve.signatureLength)
        if curve == .secp256k1 { signature = LowS.secp256k1(signature) }
        guard try session.verify(.ecdsa, key: pair.publicKey, digest, signature: signature) else {
            throw Self.wrong("The signature of a result does not verify.")
        }
    }
}
