/// How a node of the trial chain answers.
public enum Behaviour: String, Sendable, CaseIterable {
    case honest
    /// Another header at each height, signed by the same validators: a fork.
    case fork
    /// Headers whose application hash was changed after they were signed.
    case forged
    /// Headers of validators who have no power on the chain.
    case strangers
    /// Headers of another chain's id.
    case otherChain = "other-chain"
    /// Headers whose time is before the last block's.
    case past
    /// Headers whose time is hours ahead.
    case future
    /// Proofs of another key than the one that was asked for.
    case wrongProof = "wrong-proof"
    /// No JSON.
    case garbage
    /// An answer without an end in sight, cut at 8 MiB.
    case huge
    /// No answer for half a minute.
    case stall
    /// The node's own error.
    case error
}
