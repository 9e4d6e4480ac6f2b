import Capabilities
import Encodings
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

    /// - Parameters:
    ///   - limit: Signatures remembered per window.
    ///   - elapsed: Time that never jumps, since some fixed moment; nil for the system's.
    init(earlier: EarlierSignatures = .none, limit: Int, elapsed: (@Sendable () -> Duration)? = nil) {
        since = earlier.since
        seen = ReplayWindow(
            seconds: 2 * Self.window + 2, limit: limit, earlier: earlier, elapsed: elapsed ?? ReplayWindow.elapsed)
    }

    /// - Parameters:
    ///   - caller: Whose token it is; all of somebody's keys are one caller's.
    ///   - now: Seconds since 1970.
    /// - Returns: For a signature that is dated ahead: what must be written durably before the answer.
    /// - Throws: ``GNAPError`` with `.signatureRefused`, or `.exhausted` if it cannot be remembered.
    func verify(
        _ request: MessageRequest, with key: ClientKey, of caller: String, now: Int64
    ) throws(GNAPError) -> SpentSignature? {
        guard let field = request.single("signature-input"), let input = SignatureInput(field) else {
            throw Self.refused("Signature-Input is absent or not one 'sig1' of a known form")
        }
        guard let text = request.single("signature"), text.utf8.count <= 1024,
            let value = text.removing(exactPrefix: "sig1="),
            let signature = ContentDigest.byteSequence(value)
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
        guard (input.algorithm ?? key.algorithm).isExactly(key.algorithm) else {
            throw Self.refused("the signature's alg is not the key's")
        }
        // exact: the list above is our own.
        if needed.contains("content-digest") {
            guard let digest = request.single("content-digest"), ContentDigest.fits(digest, request.body) else {
                throw Self.refused("Content-Digest is not the body's")
            }
        }
        let isSigned = ([request.targetURI] + request.otherSpellings).contains { target in
            input.base(for: request, target: target).map { key.verifies(signature, Array($0.utf8)) } ?? false
        }
        guard isSigned else {
            throw Self.refused("the signature is not of the token's key over this request")
        }
        // r (or R) is the signature's own random number; ECDSA has a second signature with the same r.
        let name = Array(signature.prefix(32))
        switch seen.admit(name, owner: caller, now: now) {
        case .fresh: break
        case .used: throw Self.refused("the signature was used before")
        case .full:
            throw GNAPError(.exhausted, "too many signatures of this caller are remembered; wait for some minutes")
        }
        return SpentSignature(name: name, created: created, now: now)
    }

    private static func refused(_ message: String) -> GNAPError { GNAPError(.signatureRefused, message) }
}
