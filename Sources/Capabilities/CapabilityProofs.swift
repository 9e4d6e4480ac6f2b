import Encodings

/// Makes and checks Ed25519Signature2018 proofs with a detached, unencoded JWS (RFC 7797).
public enum CapabilityProofs {
    /// Of proofs that are made here.
    static let header = Base64.encode(Array(#"{"alg":"EdDSA","b64":false,"crit":["b64"]}"#.utf8), .url)

    /// header ‖ "." ‖ SHA-256(canonical options) ‖ SHA-256(canonical document)
    static func signingInput(
        _ proof: CapabilityProof, of capability: Capability, header: String = header
    ) throws(CapabilityError) -> [UInt8] {
        let options = try Canonicalization.options(proof)
        let document = try Canonicalization.document(capability)
        return try Array(header.utf8) + [UInt8(ascii: ".")] + Hashing.sha256(Array(options.utf8))
            + Hashing.sha256(Array(document.utf8))
    }

    /// Signs a capability.
    ///
    /// - Parameters:
    ///   - sign: Ed25519 over the given bytes, by the key of `verificationMethod`.
    ///   - chain: nil for a root, else the ids from the root to the parent.
    public static func signed(
        _ capability: Capability, verificationMethod: DIDKey, created: String, nonce: [UInt8], chain: [String]? = nil,
        sign: ([UInt8]) throws -> [UInt8]
    ) throws -> Capability {
        var proof = CapabilityProof(
            created: created, nonce: Base64.encode(nonce, .url), verificationMethod: verificationMethod.description,
            capabilityChain: chain)
        let signature = try sign(try signingInput(proof, of: capability))
        proof.jws = header + ".." + Base64.encode(signature, .url)
        var signed = capability
        signed.proof = [proof]
        return signed
    }

    /// Checks that `proof` is by the key it names.
    public static func verify(_ proof: CapabilityProof, of capability: Capability) throws(CapabilityError) {
        guard let jws = proof.jws, let key = DIDKey(proof.verificationMethod.text) else {
            throw .unauthorized("the proof lacks a jws or an Ed25519 did:key")
        }
        let detached = try DetachedJWS(jws)
        let input = try signingInput(proof, of: capability, header: detached.header)
        guard Ed25519.isValid(detached.signature, for: input, publicKey: key.publicKey) else {
            throw .unauthorized("the proof does not verify")
        }
    }
}
