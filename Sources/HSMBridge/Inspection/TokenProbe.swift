import Encodings
import Token

/// Asks a token what it can do, with throw-away objects that are destroyed before the probe returns.
///
/// Every answer is a known one or consistent with itself: a mechanism list or a flag is no evidence (SoftHSM's flags
/// deny explicit curves, which work; other modules promise mechanisms they then refuse).
struct TokenProbe: ~Copyable {
    let session: Session
    let reopen: @Sendable () throws(HSMError) -> Session
    /// The label of token objects, where the token makes no session objects; nil for session objects.
    let label: String?
    var created: [ObjectHandle] = []
    /// What a good outcome does not prove.
    var remark: String?
    /// Whether the token made no object to try something with, and did not say that it never would.
    var isUntried = false

    /// - Parameter reopen: Opens another read-write session of the same login.
    init(label: String?, _ reopen: @escaping @Sendable () throws(HSMError) -> Session) throws(HSMError) {
        session = try reopen()
        self.reopen = reopen
        self.label = label
    }

    /// Runs every probe; a failing one is part of the report. Only the loss of the token or of its login is an error.
    ///
    /// - Parameter writes: Whether token objects may be made, for a moment: to try the templates of provisioning, and in
    ///   place of session objects on a token that makes none.
    static func report(
        identity: TokenIdentity, writes: Bool = false,
        _ open: @escaping @Sendable () throws(HSMError) -> Session
    ) throws(HSMError) -> ProbeReport {
        let label = newLabel()
        if writes { try sweep(open) }
        let makesSessionObjects = try makesSessionObjects(open)
        let needsTokenObjects = writes && !makesSessionObjects
        var capabilities: [ProbeReport.Capability] = []
        for (name, probe) in probes {
            // A session of its own: a failed operation may stay active on it.
            var attempt = try TokenProbe(label: needsTokenObjects ? label : nil, open)
            var capability = ProbeReport.Capability(name: name, outcome: .ok, detail: nil, rate: nil)
            do throws(HSMError) {
                capability.rate = try probe(&attempt)
                capability.detail = attempt.remark
            } catch {
                // A lost session says nothing about what the token can do.
                guard !error.isLostSession else { throw error }
                capability.outcome =
                    attempt.isUntried ? .notProbed : error.code == .mechanismUnsupported ? .absent : .failed
                capability.detail = error.cause.map { "\($0)" } ?? error.message
            }
            attempt.cleanUp()
            capabilities.append(capability)
        }
        let rootLock = capabilities.first { $0.name == "root-lock" }?.detail.flatMap(KeyKind.init(rawValue:))
        let templates = writes ? try TemplateProbe(label: label, rootLock: rootLock, open).report() : nil
        if writes, case let answers = try sweep(open), let first = answers.first {
            capabilities.append(
                ProbeReport.Capability(
                    name: "clean-up", outcome: .failed,
                    detail: "\(answers.count) objects \(labelPrefix)… stay until the next --write: \(first)",
                    rate: nil))
        }
        return ProbeReport(
            token: identity, capabilities: capabilities, parallelSessions: parallelSessions(open),
            templates: templates)
    }

    typealias Probe = @Sendable (inout TokenProbe) throws(HSMError) -> Double?

    static let probes: [(String, Probe)] = [
        ("random", { (probe) throws(HSMError) in try probe.random() }),
        ("root-lock", { (probe) throws(HSMError) in try probe.rootLock() }),
        ("aes-256-gcm", { (probe) throws(HSMError) in try probe.gcm() }),
        ("hmac-sha-256", { (probe) throws(HSMError) in try probe.hmac() }),
        ("ecdsa-p256", { (probe) throws(HSMError) in try probe.signature(.p256) }),
        ("ecdsa-p384", { (probe) throws(HSMError) in try probe.signature(.p384) }),
        ("ecdsa-p521", { (probe) throws(HSMError) in try probe.signature(.p521) }),
        ("ecdsa-secp256k1", { (probe) throws(HSMError) in try probe.signature(.secp256k1) }),
        ("result-key", { (probe) throws(HSMError) in try probe.resultKey() }),
        ("ed25519", { (probe) throws(HSMError) in try probe.signature(.ed25519) }),
        ("ecdh-p256", { (probe) throws(HSMError) in try probe.agreement() }),
        ("ecdh-bn254", { (probe) throws(HSMError) in try probe.explicitCurve() }),
        ("kwp-aes", { (probe) throws(HSMError) in try probe.wrapsAES() }),
        ("kwp-ec", { (probe) throws(HSMError) in try probe.wrapsPair(.p256) }),
        ("kwp-ed25519", { (probe) throws(HSMError) in try probe.wrapsPair(.ed25519) }),
        ("session-copies", { (probe) throws(HSMError) in try probe.copies() }),
        ("unwrap-template-enforced", { (probe) throws(HSMError) in try probe.enforcesUnwrapTemplate() }),
        ("allowed-mechanisms-enforced", { (probe) throws(HSMError) in try probe.enforcesAllowedMechanisms() }),
        ("key-history-told", { (probe) throws(HSMError) in try probe.tellsHistory() }),
    ]

    mutating func cleanUp() {
        for object in created { try? session.destroy(object) }
        created = []
    }

    static func parallelSessions(_ open: @Sendable () throws(HSMError) -> Session) -> Int {
        func nest(_ depth: Int) -> Int {
            guard depth < 32, let session = try? open() else { return depth }
            let reached = nest(depth + 1)
            return session.handle == 0 ? depth : reached
        }
        return nest(0)
    }

    borrowing func random() throws(HSMError) -> Double? {
        let drawn = try [self.session.random(32), self.session.random(32)]
        // All zeros, or the same twice, is not chance: 2^-256.
        guard drawn[0] != drawn[1], !drawn.contains([UInt8](repeating: 0, count: 32)) else {
            throw Self.wrong("The token's random bytes are not random.")
        }
        let session = try reopen()
        return try Self.rate { () throws(HSMError) in _ = try session.random(32) }
    }

    // MARK: Throw-away keys

    static func wrong(_ what: String) -> HSMError { HSMError(.deviceFailure, what) }

    static func secret(_ type: KeyType, _ mechanisms: [MechanismType], _ usage: [Attribute]) -> KeyTemplate {
        KeyTemplate([
            .objectClass(.secretKey), .keyType(type), .flag(.token, false), .flag(.private, true),
            .flag(.sensitive, true), .allowedMechanisms(mechanisms),
        ]) + usage
    }

    /// Operations per second over a tenth of a second.
    static func rate(_ operation: () throws(HSMError) -> Void) throws(HSMError) -> Double {
        let start = ContinuousClock.now
        var count = 0
        while ContinuousClock.now - start < .milliseconds(100) {
            try operation()
            count += 1
        }
        let elapsed = (ContinuousClock.now - start).components
        return Double(count) / (Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
    }
}
