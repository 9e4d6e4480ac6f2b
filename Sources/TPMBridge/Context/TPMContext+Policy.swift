import CTSS2
import LibCrypto
import SecretMemory
import Token

/// Using objects that want a policy instead of their authorization value alone.
extension TPMContext {
    /// From now on objects with the authority's policy are made, and are used as this approval allows.
    ///
    /// The TPM checks the signature here, once, and gives a ticket, which it accepts before each use.
    func activate(_ authority: PolicyAuthority, _ approval: PolicyAuthority.Approval) throws(HSMError) {
        let approved = try PolicyDigest.state(approval.values)
        var digest = TPM2B_DIGEST()
        TPMBytes.fill(&digest, try PolicyDigest.approval(of: approved, reference: authority.reference))
        var area = authority.key.publicArea
        var key = Self.none
        try call("Esys_LoadExternal") {
            Esys_LoadExternal(esys, Self.none, Self.none, Self.none, nil, &area, Self.owner, &key)
        }
        defer { _ = try? flush(key) }
        var signature = kms_ecdsa_signature(approval.signature)
        let ticket: TPMT_TK_VERIFIED
        do throws(HSMError) {
            ticket = try call("Esys_VerifySignature") {
                Esys_VerifySignature(esys, key, Self.none, Self.none, Self.none, &digest, &signature, $0)
            } result: { (ticket: TPMT_TK_VERIFIED) throws(HSMError) in
                ticket
            }
        } catch {
            guard error.code == .authenticationFailed else { throw error }
            throw PolicyAuthority.refused("holds an approval that its key did not make")
        }
        policy = ActivePolicy(authority: authority, approval: approval, approved: approved, ticket: ticket)
    }

    /// The policy session, satisfied anew: the TPM forgets what it was shown after each use.
    ///
    /// - Throws: `.pcrMismatch` if the TPM's state is no longer the approved one.
    func satisfiedSession(_ policy: ActivePolicy) throws(HSMError) -> ESYS_TR {
        let session = try policySession()
        if isPolicyBegun {
            try call("Esys_PolicyRestart") { Esys_PolicyRestart(esys, session, Self.none, Self.none, Self.none) }
        }
        isPolicyBegun = true
        var current = TPM2B_DIGEST()
        var selection = Self.list(policy.approval.values.selection)
        try call("Esys_PolicyPCR") {
            Esys_PolicyPCR(esys, session, Self.none, Self.none, Self.none, &current, &selection)
        }
        try call("Esys_PolicyAuthValue") {
            Esys_PolicyAuthValue(esys, session, Self.none, Self.none, Self.none)
        }
        var approved = TPM2B_DIGEST()
        var reference = TPM2B_NONCE()
        var name = TPM2B_NAME()
        var ticket = policy.ticket
        TPMBytes.fill(&approved, policy.approved)
        TPMBytes.fill(&reference, policy.authority.reference)
        TPMBytes.fill(&name, policy.authority.name)
        do throws(HSMError) {
            try call("Esys_PolicyAuthorize") {
                Esys_PolicyAuthorize(
                    esys, session, Self.none, Self.none, Self.none, &approved, &reference, &name, &ticket)
            }
        } catch {
            // VALUE: what the session was shown is not what was approved, or the ticket is not this TPM's any more.
            guard error.tpmResponse?.code == 0x084 else { throw error }
            // A TPM whose owner was cleared forgot its tickets as well as our keys: that is told first, as everywhere.
            try checkSaltKey()
            let current = try registers(policy.approval.values.selection)
            guard policy.approval.values != current else {
                // The state is the approved one again, or never was another: all is looked at anew.
                throw Self.startAnew("The TPM does not know its own approval of a state; it is shown to it again.")
            }
            throw PolicyAuthority.mismatch(current, policy.authority.approvals)
        }
        return session
    }

    /// What makes the worker connect again: PCR_CHANGED.
    static func startAnew(_ reason: String) -> HSMError {
        let response = TPMResponse(rawValue: 0x128)
        return HSMError(
            .tokenUnavailable, reason,
            cause: HSMError.Cause(response, function: "Esys_PolicyAuthorize"))
    }

    /// Whether an object can be used with a policy only. Its authorization value alone does nothing then.
    static func wantsPolicy(_ area: TPM2B_PUBLIC) -> Bool {
        area.publicArea.objectAttributes & TPMA_OBJECT(TPMA_OBJECT_USERWITHAUTH) == 0
    }

    /// `template` as the policy that is active wants it.
    func bound(_ template: TPM2B_PUBLIC) -> TPM2B_PUBLIC {
        guard let policy else { return template }
        var bound = template
        bound.publicArea.objectAttributes &= ~TPMA_OBJECT(TPMA_OBJECT_USERWITHAUTH)
        TPMBytes.fill(&bound.publicArea.authPolicy, policy.authority.policy)
        return bound
    }

    /// Seals a secret that is used with a policy and an authorization value.
    func makeSealed(
        _ secret: SharedSecret, policy: [UInt8], parent: ESYS_TR, authorization: SharedSecret, lockout: Bool
    ) throws(HSMError) -> TPMKeyBlob {
        var template = kms_sealed_template(lockout ? 1 : 0)
        TPMBytes.fill(&template.publicArea.authPolicy, policy)
        return try create(template, parent: parent, authorization: authorization, sealing: secret)
    }

    /// The secret in a loaded object, encrypted on its way.
    func unseal(_ object: ESYS_TR, _ authorization: SharedSecret) throws(HSMError) -> SharedSecret {
        var pointer: UnsafeMutablePointer<TPM2B_SENSITIVE_DATA>?
        try withAuthorization(object, authorization) { () throws(HSMError) in
            let session = try session(encrypting: true, decrypting: false)
            try call("Esys_Unseal") { Esys_Unseal(esys, object, session, Self.none, Self.none, &pointer) }
        }
        guard let pointer else { throw HSMError(.deviceFailure, "Esys_Unseal gave nothing.") }
        defer {
            TPMBytes.wipe(&pointer.pointee)
            Esys_Free(pointer)
            wipeResponse()
        }
        return try withUnsafeBytes(of: &pointer.pointee.buffer) { (bytes) throws(HSMError) in
            try Self.secret(bytes, count: pointer.pointee.size, "Esys_Unseal")
        }
    }
}
