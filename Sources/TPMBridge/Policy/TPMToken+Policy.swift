public import Token

/// The states of the machine in which the keys work.
public struct PCRPolicy: Sendable, Equatable {
    /// The state now, of the registers that the approval in use is about.
    public var current: PCRValues
    /// All approved states.
    public var approved: [PCRValues]
}

extension TPMToken {
    /// The approved states; nil if the keys are not bound to any.
    public func pcrPolicy() async throws(HSMError) -> PCRPolicy? {
        try await perform { (connection) throws(HSMError) in
            guard let active = connection.context.policy else { return nil }
            let (authority, _) = try connection.policyInUse()
            return PCRPolicy(
                current: try connection.context.registers(active.approval.values.selection),
                approved: authority.approvals.map(\.values))
        }
    }

    /// Approves a further state, in the current one, which is approved itself. No key changes, and the record is replaced
    /// at once or not at all.
    ///
    /// - Returns: False if the state was approved before; then nothing is changed.
    /// - Throws: `.invalidArgument` if the keys are not bound, or the list is full.
    public func approve(_ values: PCRValues) async throws(HSMError) -> Bool {
        try await perform { (connection) throws(HSMError) in try connection.approve(values) }
    }

    /// Drops all approvals but that of the current state from the record.
    ///
    /// An approval that somebody copied before remains good: a TPM forgets none.
    ///
    /// - Returns: How many were dropped.
    public func dropOtherApprovals() async throws(HSMError) -> Int {
        try await perform { (connection) throws(HSMError) in try connection.dropOtherApprovals() }
    }
}
