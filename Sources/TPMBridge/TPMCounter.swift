public import HSMBridge

/// A counter in a TPM's non-volatile memory. Only the PIN's authorization reads or increments it, and a counter that the
/// owner removes and makes again starts above every number that any counter of the TPM ever had (TPM 2.0 Library part 1,
/// section 37.2.4).
public struct TPMCounter: MonotonicCounter {
    /// What a counter counts.
    public enum Purpose: String, Sendable, CaseIterable {
        /// Checkpoints of the audit chain.
        case audit
        /// Epochs of the ledger of revocations.
        case revocations
    }

    let token: TPMToken
    let purpose: Purpose

    public var counterIdentity: String { "\(token.sealingIdentity)/counter/\(purpose.rawValue)" }

    public func read() async throws(HSMError) -> UInt64 {
        let purpose = purpose
        return try await token.perform { (connection) throws(HSMError) in
            try connection.context.readCounter(try connection.counter(purpose), connection.authorization)
        }
    }

    public func increment() async throws(HSMError) -> UInt64 {
        let purpose = purpose
        // Repeated after a lost connection it may count twice, which the protocol of the caller has room for: it stores
        // what is returned.
        return try await token.perform { (connection) throws(HSMError) in
            let counter = try connection.counter(purpose)
            try connection.context.incrementCounter(counter, connection.authorization)
            return try connection.context.readCounter(counter, connection.authorization)
        }
    }
}

extension TPMToken {
    /// A counter that ``provision(instance:)`` made.
    public func counter(_ purpose: TPMCounter.Purpose) -> TPMCounter { TPMCounter(token: self, purpose: purpose) }
}
