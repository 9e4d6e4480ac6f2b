import CTSS2
import Token

/// How the TPM is shown, before each use of a key, that its state is approved: the approval it was shown the proof of.
struct ActivePolicy {
    let authority: PolicyAuthority
    let approval: PolicyAuthority.Approval
    /// The policy that the approval is of.
    let approved: [UInt8]
    /// The TPM's own confirmation that it checked the approval's signature.
    let ticket: TPMT_TK_VERIFIED
}
