import CTSS2
import SecretMemory
import Token

/// Finding the approval that holds now, and making further ones.
extension TPMConnection {
    /// Whether the keys are bound to states, all of them or none.
    ///
    /// - Throws: `.keyMismatch` if some key could be used without what binds the root lock, `.configurationRefused` if
    ///   the URI asks for registers and the keys are not bound.
    static func isBound(_ keys: [KeyRole: TPMObject], _ address: TPMAddress) throws(HSMError) -> Bool {
        guard let root = keys[.rootLock] else { return false }
        let policy = TPMBytes.array(root.publicArea.publicArea.authPolicy)
        guard TPMContext.wantsPolicy(root.publicArea) else {
            guard address.registers == nil else {
                throw HSMError(
                    .configurationRefused,
                    "token-uri has 'pcrs', but the keys were made without: whether they are bound to PCRs is decided by "
                        + "`kmsd init`. Remove 'pcrs', or make a new installation.")
            }
            return false
        }
        for (role, key) in keys
        where !TPMContext.wantsPolicy(key.publicArea)
            || TPMBytes.array(key.publicArea.publicArea.authPolicy) != policy
        {
            throw HSMError(.keyMismatch, "The key of '\(role.rawValue)' is not bound to PCRs as the root lock is.")
        }
        return true
    }

    /// Shows the TPM an approval of the state that it is in. No authorization value is tried before there is one.
    ///
    /// - Throws: `.pcrMismatch` if the state is not approved, `.configurationRefused` without a record of approvals.
    static func activatePolicy(
        _ context: TPMContext, _ configuration: TPMConfiguration, _ keys: [KeyRole: TPMObject], instance: String
    ) throws(HSMError) {
        guard let record = try configuration.policies?.read() else { throw PolicyAuthority.refused("is missing") }
        guard record.instance == instance else { throw PolicyAuthority.refused("is of another installation") }
        var authority = try PolicyAuthority(record, reference: try TPMMark.policy(instance))
        guard let root = keys[.rootLock],
            TPMBytes.array(root.publicArea.publicArea.authPolicy) == authority.policy
        else { throw PolicyAuthority.refused("does not belong to the keys") }
        if let registers = configuration.address.registers {
            authority.approvals.removeAll { $0.values.selection != registers }
            guard !authority.approvals.isEmpty else {
                throw HSMError(
                    .configurationRefused,
                    "No state of the registers \(registers) is approved; 'pcrs' in token-uri is another selection.")
            }
        }
        var current: PCRValues?
        for selection in Set(authority.approvals.map(\.values.selection)) {
            let values = try context.registers(selection)
            if let approval = authority.approvals.first(where: { $0.values == values }) {
                return try context.activate(authority, approval)
            }
            current = values
        }
        guard let current else { throw PolicyAuthority.refused("approves no state") }
        throw PolicyAuthority.mismatch(current, authority.approvals)
    }

    /// Approves a state: signs it with the authorizing key, whose own secret opens only in an approved state.
    ///
    /// - Returns: False if it was approved before.
    func approve(_ values: PCRValues) throws(HSMError) -> Bool {
        var (authority, store) = try policyInUse()
        guard !authority.approvals.contains(where: { $0.values == values }) else { return false }
        guard authority.approvals.count < TPMPolicyRecord.longestList else {
            throw HSMError(
                .invalidArgument,
                "\(TPMPolicyRecord.longestList) states are approved already; drop those that are over with "
                    + "`kmsd tpm reseal --only-current`.")
        }
        guard let primary else { throw HSMError(.keyMissing, "Provision the TPM first.") }
        let sealed = try context.load(authority.secret, parent: primary.handle)
        let secret: SharedSecret
        do throws(HSMError) {
            secret = try context.unseal(sealed, authorization)
        } catch {
            _ = try? context.flush(sealed)
            throw error
        }
        try context.flush(sealed)
        let signature = try context.sign(
            values, authority.key, below: primary, secret: secret, reference: authority.reference)
        authority.approvals.append(PolicyAuthority.Approval(values: values, signature: signature))
        try store.write(try authority.record(instance: try instance()))
        return true
    }

    /// Leaves the state that the TPM is in as the only approved one of the record.
    ///
    /// - Returns: How many states were dropped.
    func dropOtherApprovals() throws(HSMError) -> Int {
        var (authority, store) = try policyInUse()
        guard let active = context.policy else { throw Self.unbound }
        let dropped = authority.approvals.count { $0.values != active.approval.values }
        guard dropped > 0 else { return 0 }
        authority.approvals.removeAll { $0.values != active.approval.values }
        try store.write(try authority.record(instance: try instance()))
        return dropped
    }

    /// The approved states as the record has them now, and where it is.
    func policyInUse() throws(HSMError) -> (PolicyAuthority, any TPMPolicyStore) {
        guard let active = context.policy else { throw Self.unbound }
        guard let store = configuration.policies, let record = try store.read() else {
            throw PolicyAuthority.refused("is missing")
        }
        let authority = try PolicyAuthority(record, reference: active.authority.reference)
        guard authority.name == active.authority.name else { throw PolicyAuthority.refused("is another one now") }
        return (authority, store)
    }

    private static let unbound = HSMError(
        .invalidArgument,
        "The keys of this installation are not bound to PCRs; that is decided by `kmsd init`, with 'pcrs=' in token-uri."
    )
}

extension TPMContext {
    /// Approves a state with the authorizing key.
    ///
    /// - Returns: r ‖ s.
    func sign(
        _ values: PCRValues, _ key: TPMKeyBlob, below primary: TPMObject, secret: SharedSecret, reference: [UInt8]
    ) throws(HSMError) -> [UInt8] {
        let handle = try load(key, parent: primary.handle)
        defer { _ = try? flush(handle) }
        return try sign(
            handle, secret,
            digest: try PolicyDigest.approval(of: try PolicyDigest.state(values), reference: reference), width: 32)
    }
}
