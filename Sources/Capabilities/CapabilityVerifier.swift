import Encodings

/// Decides whether a request may act on a keystore, from its signature, its capability and the stored root.
///
/// The order is that of TrustBloc's server, with the two checks it lacks: a presented root counts only for what the
/// *stored* root says, and a delegated capability must be signed by whom its parent names. Target and caveats are not
/// covered by any proof of this format, so the target is compared with the stored root; a caveat only ever narrows.
///
/// - Concurrency: a value, usable from any thread; no input or output.
public struct CapabilityVerifier: Sendable {
    public enum Mode: Sendable {
        /// What the Go clients send: a signature over `(created)` alone is enough.
        case compatible
        /// `(request-target)`, `host`, `capability-invocation`, `digest` of a body and any `secret-share` must be
        /// covered, the signature at most five minutes old, and each signature used once.
        case strict
    }

    /// Accepted difference between clocks, in seconds.
    public static let skew: Int64 = 30
    /// Greatest age of a signature in strict mode, in seconds.
    public static let strictAge: Int64 = 300
    /// Longest chain of delegations below the root.
    public static let longestChain = 8

    /// A request that may act.
    public struct Verified: Sendable {
        /// The key that invoked the capability.
        public let key: DIDKey
        /// In strict mode, for a signature that is dated ahead: what must be written durably before the answer.
        public let spent: SpentSignature?
        /// Whose keystore it is: whom the root capability names. All of somebody's keystores are one owner's.
        public let owner: String
    }

    private let mode: Mode
    private let since: Int64
    private let replay: ReplayWindow
    /// Nil: nothing is remembered.
    let grants: GrantCache?
    /// Nil: nothing is remembered.
    let signatures: SignatureCache?

    /// - Parameters:
    ///   - earlier: In strict mode, what was used before the start is refused.
    ///   - remembersGrants: Whether capabilities that held are remembered for five minutes. The caveats are checked
    ///     every time.
    ///   - remembersSignatures: Whether signatures that held are remembered for five minutes, for the same header over
    ///     the same text; in strict mode only the keys, since there each signature is used once.
    public init(
        mode: Mode, earlier: EarlierSignatures = .none, remembersGrants: Bool = true, remembersSignatures: Bool = true
    ) {
        self.mode = mode
        since = earlier.since
        replay = ReplayWindow(seconds: 2 * (Self.strictAge + Self.skew), earlier: earlier)
        grants = remembersGrants ? GrantCache() : nil
        signatures = remembersSignatures ? SignatureCache() : nil
    }

    /// Verifies one request.
    ///
    /// - Parameters:
    ///   - body: Exactly as received; compared with a covered digest.
    ///   - action: The route's action.
    ///   - root: The keystore's root capability from the store.
    ///   - now: Seconds since 1970.
    ///   - resolve: Finds a stored intermediate capability by id.
    /// - Throws: ``CapabilityError``: `.unauthorized` for a signature or right that does not hold, `.malformed` for an
    ///   invocation that cannot be parsed.
    public func verify(
        _ request: HTTPSignature.Request, body: [UInt8], action: String, root: Capability, now: Int64,
        resolve: (String) -> Capability? = { _ in nil }
    ) throws(CapabilityError) -> Verified {
        guard let header = request.headers.only("signature") else {
            throw .unauthorized("exactly one Signature header is needed")
        }
        let checked = try SignatureCheck(mode: mode, since: since, cache: signatures).verify(
            header, request, body: body, now: now)
        let signature = checked.entry.signature
        guard let value = request.headers.only("capability-invocation") else {
            throw .malformed("exactly one Capability-Invocation header is needed")
        }
        let grant = try grant(of: value, action: action, root: root, now: now, resolve: resolve)
        guard grant.action == action else { throw .unauthorized("the action is not this route's") }
        if let end = grant.end, now >= end { throw .unauthorized("the capability has expired") }
        let capability = grant.capability
        guard capability.allowedAction.isEmpty || capability.allowedAction.contains(ExactText(action)) else {
            throw .unauthorized("the capability does not allow \(action)")
        }
        guard invoker(of: capability) == signature.keyID else {
            throw .unauthorized("the signer is not the capability's invoker")
        }
        let owner = (root.controller ?? root.invoker ?? root.id).text
        if mode == .strict {
            switch replay.admit(signature.signature, owner: owner, now: now) {
            case .fresh: break
            case .used: throw .unauthorized("the signature was used before")
            case .full:
                throw .exhausted(
                    "too many requests for this keystore's controller are remembered; wait for some minutes")
            }
        }
        checked.remember(now: now)
        return Verified(
            key: checked.entry.key,
            spent: mode == .strict
                ? SpentSignature(name: signature.signature, created: signature.created, now: now) : nil,
            owner: owner)
    }

    /// Parses the header and checks the capability in it up to the root, or finds that done.
    private func grant(
        of header: String, action: String, root: Capability, now: Int64, resolve: (String) -> Capability?
    ) throws(CapabilityError) -> GrantCache.Grant {
        guard header.utf8.count <= Invocation.longestHeader else { throw .malformed("the header is too long") }
        let digest = try Hashing.sha256(Array(header.utf8))
        if let known = grants?.find(digest, root: root, now: now) { return known }
        let invocation = try Invocation(header: header)
        guard invocation.action == action else { throw .unauthorized("the action is not this route's") }
        var end: Int64?
        let capability = try effective(
            invocation.capability, root: root, now: now, depth: 0, end: &end, resolve: resolve)
        let grant = GrantCache.Grant(action: invocation.action, capability: capability, end: end)
        grants?.remember(grant, digest, root: root, now: now)
        return grant
    }

    /// Checks a capability up to the root and returns it with what it may really do.
    ///
    /// - Parameter end: Brought forward to the first second at which a caveat refuses.
    private func effective(
        _ capability: Capability, root: Capability, now: Int64, depth: Int, end: inout Int64?,
        resolve: (String) -> Capability?
    ) throws(CapabilityError) -> Capability {
        guard let parentID = capability.parentCapability else {
            guard capability.id == root.id,
                try Canonicalization.document(capability).isExactly(try Canonicalization.document(root))
            else { throw .unauthorized("the presented root is not the stored root") }
            if let own = try verifyCaveats(capability, capability.proof.first, now: now) { end = min(end ?? own, own) }
            return root
        }
        guard depth < Self.longestChain, capability.id != root.id, capability.id != parentID else {
            throw .unauthorized("the chain loops or is too long")
        }
        guard capability.invocationTarget.id == root.invocationTarget.id else {
            throw .unauthorized("the capability is for another target")
        }
        let presented = parentID == root.id ? root : resolve(parentID.text)
        guard let parent = presented, parent.id == parentID else { throw .unauthorized("the parent is not known") }
        let effectiveParent =
            parentID == root.id
            ? root
            : try effective(parent, root: root, now: now, depth: depth + 1, end: &end, resolve: resolve)
        guard
            let proof = capability.proof.first(where: {
                $0.proofPurpose == CapabilityProof.delegation && $0.capabilityChain?.last == parentID
            }), proof.capabilityChain?.first == root.id
        else { throw .unauthorized("no delegation proof whose chain runs from the root to the parent") }
        guard proof.verificationMethod == parent.delegator ?? parent.controller ?? parent.invoker else {
            throw .unauthorized("the proof is not by whom the parent names")
        }
        try CapabilityProofs.verify(proof, of: capability)
        if let own = try verifyCaveats(capability, proof, now: now) { end = min(end ?? own, own) }
        return try narrowed(capability, to: effectiveParent)
    }

    private func narrowed(_ capability: Capability, to parent: Capability) throws(CapabilityError) -> Capability {
        var narrowed = capability
        if !parent.allowedAction.isEmpty {
            if capability.allowedAction.isEmpty { narrowed.allowedAction = parent.allowedAction }
            guard Set(narrowed.allowedAction).isSubset(of: parent.allowedAction) else {
                throw .unauthorized("the capability allows more than its parent")
            }
        }
        return narrowed
    }

    /// The first second at which one of them refuses; nil for none.
    private func verifyCaveats(
        _ capability: Capability, _ proof: CapabilityProof?, now: Int64
    ) throws(CapabilityError) -> Int64? {
        var first: Int64?
        for caveat in capability.caveats ?? [] {
            guard caveat.type == "expiry", let duration = caveat.duration, duration >= 0,
                let created = proof.flatMap({ Timestamp.seconds($0.created) })
            else { throw .unauthorized("the capability has a caveat of unknown kind") }
            let (end, overflow) = created.addingReportingOverflow(duration)
            guard overflow || now < end else { throw .unauthorized("the capability has expired") }
            if !overflow { first = min(first ?? end, end) }
        }
        return first
    }

    private func invoker(of capability: Capability) -> ExactText? {
        if let named = capability.invoker ?? capability.controller { return named }
        return capability.delegator == nil ? capability.id : nil
    }
}
