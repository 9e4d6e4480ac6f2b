import Encodings
internal import LibCrypto

/// Checks the signature of one request, by what is remembered where that changes nothing.
struct SignatureCheck {
    let mode: CapabilityVerifier.Mode
    /// In strict mode nothing signed before this time is accepted: which signatures were used then is not known.
    let since: Int64
    /// Nil: nothing is remembered.
    let cache: SignatureCache?

    /// A signature that holds.
    struct Checked {
        let entry: SignatureCache.Entry
        fileprivate let header: (digest: [UInt8], length: Int)?
        fileprivate let signer: SignatureCache.Signer?
        fileprivate let cache: SignatureCache?

        /// To be called when the request as a whole was accepted.
        func remember(now: Int64) {
            if let signer { cache?.remember(signer, entry.signature.keyID.text) }
            if let header { cache?.remember(entry, header.digest, headerLength: header.length, now: now) }
        }
    }

    /// - Parameter header: The one `Signature` header.
    /// - Throws: ``CapabilityError``, `.unauthorized`.
    func verify(
        _ header: String, _ request: HTTPSignature.Request, body: [UInt8], now: Int64
    ) throws(CapabilityError) -> Checked {
        var digest: [UInt8]?
        // In strict mode a signature does not come twice.
        if mode == .compatible, let cache {
            let bytes = try Hashing.sha256(Array(header.utf8))
            if let known = cache.find(bytes, now: now) {
                try check(known.signature, request, body: body, now: now)
                let text = Array(try known.signature.signingString(for: request).utf8)
                if text == known.text { return Checked(entry: known, header: nil, signer: nil, cache: nil) }
            }
            digest = bytes
        }
        let signature = try HTTPSignature(header: header)
        let known = cache?.signer(signature.keyID.text)
        guard let did = known?.did ?? DIDKey(signature.keyID.text), signature.keyID.text.containsExactly("#") else {
            throw .unauthorized("keyId is not an Ed25519 did:key URL")
        }
        try check(signature, request, body: body, now: now)
        let text = Array(try signature.signingString(for: request).utf8)
        guard let key = known?.key ?? Ed25519.key(did.publicKey),
            Ed25519.isValid(signature.signature, for: text, key: key)
        else { throw .unauthorized("the request signature does not verify") }
        return Checked(
            entry: SignatureCache.Entry(signature: signature, key: did, text: text),
            header: digest.map { ($0, header.utf8.count) },
            signer: known == nil ? SignatureCache.Signer(did: did, key: key) : nil, cache: cache)
    }

    /// What depends on the time, the mode or the body.
    private func check(
        _ signature: HTTPSignature, _ request: HTTPSignature.Request, body: [UInt8], now: Int64
    ) throws(CapabilityError) {
        if let expires = signature.expires, expires < now { throw .unauthorized("the signature has expired") }
        if let created = signature.created, created > now + CapabilityVerifier.skew {
            throw .unauthorized("the signature is from the future")
        }
        if mode == .strict {
            var needed = ["(created)", "(request-target)", "host", "capability-invocation"]
            if !body.isEmpty { needed.append("digest") }
            // exact: SignedHeaders compares bytes.
            if request.headers.contains("secret-share") { needed.append("secret-share") }
            if let missing = needed.first(where: { !signature.covered.contains(ExactText($0)) }) {
                throw .unauthorized("strict mode needs \(missing) to be signed")
            }
            guard let created = signature.created, created >= now - CapabilityVerifier.strictAge else {
                throw .unauthorized("the signature is older than \(CapabilityVerifier.strictAge) s")
            }
            guard created >= since else { throw .unauthorized("the signature was made before the last start") }
        }
        // exact: what is covered is ExactText.
        if signature.covered.contains("digest") { try verifyDigest(request.headers.only("digest"), body) }
    }

    private func verifyDigest(_ value: String?, _ body: [UInt8]) throws(CapabilityError) {
        guard let value else { throw .unauthorized("exactly one Digest header is needed") }
        let parts = value.splitExactly(at: "=", maxSplits: 1)
        let expected: [UInt8]
        switch parts[0].asciiUppercased() {
        case "SHA-256": expected = try Hashing.sha256(body)
        case "SHA-512": expected = try Hashing.sha512(body)
        default: throw .unauthorized("Digest is neither SHA-256 nor SHA-512")
        }
        guard parts.count == 2, let given = Base64.decode(parts[1], .either), given == expected else {
            throw .unauthorized("Digest is not that of the body")
        }
    }
}
