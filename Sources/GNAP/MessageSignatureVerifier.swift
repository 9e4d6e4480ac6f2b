import Capabilities
import LibCrypto

/// Checks the message signature of a request with the key its token is bound to.
///
/// It must cover the method, the target, the token and, if there is one, the body; be fresh; and it is accepted once.
///
/// - Concurrency: any number of calls at once.
struct MessageSignatureVerifier: Sendable {
    /// How old a signature may be, and how far clocks may differ, in seconds.
    static let window: Int64 = 60

    /// Nothing signed before this time is accepted: which signatures were used then is not known.
    private let since: Int64
    private let seen: ReplayWindow

    init(earlier: EarlierSignatures = .none) {
        since = earlier.since
        seen = ReplayWindow(seconds: 2 * Self.window + 2, earlier: earlier)
    }

    /// - Parameter now: Seconds since 1970.
    /// - Returns: For a signature that is dated ahead: what must be written durably before the answer.
    /// - Throws: ``GNAPError`` with `.signatureRefused`.
    func verify(_ request: MessageRequest, with key: ClientKey, now: Int64) throws(GNAPError) -> SpentSignature? {
        guard let field = request.single("signature-input"), let input = SignatureInput(field) else {
            throw Self.refused("Signature-Input is absent or not one 'sig1' of a known form")
        }
        guard let text = request.single("signature"), text.utf8.count <= 1024, text.hasPrefix("sig1="),
            let signature = ContentDigest.byteSequence(text.dropFirst("sig1=".count))
        else { throw Self.refused("Signature is absent or not one 'sig1'") }
        var needed = ["@method", "@target-uri", "authorization"]
        if !request.body.isEmpty || request.fields["content-digest"] != nil { needed.append("content-digest") }
        for component in needed where !input.components.contains(component) {
            throw Self.refused("the signature does not cover \(component)")
        }
        guard let created = input.created, abs(now - created) <= Self.window else {
            throw Self.refused("the signature's time is absent or not within \(Self.window) s")
        }
        guard created >= since else { throw Self.refused("the signature was made before the last start") }
        if let expires = input.expires, expires < now { throw Self.refused("the signature has expired") }
        guard input.algorithm ?? key.algorithm == key.algorithm else {
            throw Self.refused("the signature's alg is not the key's")
        }
        if needed.contains("content-digest") {
            guard let digest = request.single("content-digest"), ContentDigest.fits(digest, request.body) else {
                throw Self.refused("Content-Digest is not the body's")
            }
        }
        guard let base = input.base(for: request), key.verifies(signature, Array(base.utf8)) else {
            throw Self.refused("the signature is not of the token's key over this request")
        }
        // r (or R) is the signature's own random number; ECDSA has a second signature with the same r.
        let name = Array(signature.prefix(32))
        guard seen.admit(name, now: now) else { throw Self.refused("the signature was used before") }
        return SpentSignature(name: name, created: created, now: now)
    }

    private static func refused(_ message: String) -> GNAPError { GNAPError(.signatureRefused, message) }
}
