import LibCrypto
import Token

/// Policies computed here rather than in a TPM: for a state that the TPM is not in yet.
///
/// - Source: TPM 2.0 Library part 3, sections 23.7 (PolicyPCR), 23.16 (PolicyAuthorize), 23.17 (PolicyAuthValue).
enum PolicyDigest {
    private static let start = [UInt8](repeating: 0, count: 32)

    /// PolicyPCR of these values, then PolicyAuthValue: the machine's state and the PIN, both.
    static func state(_ values: PCRValues) throws(HSMError) -> [UInt8] {
        let selection = values.selection
        let registers = try hash(selection.indices.flatMap { values.values[$0] ?? [] })
        let registersOnly = try hash(start + [0, 0, 0x01, 0x7F] + selection.marshalled + registers)
        return try hash(registersOnly + [0, 0, 0x01, 0x6B])
    }

    /// PolicyAuthorize: any policy that the key of this name signed with this reference.
    static func authorized(by name: [UInt8], reference: [UInt8]) throws(HSMError) -> [UInt8] {
        try hash(try hash(start + [0, 0, 0x01, 0x6A] + name) + reference)
    }

    /// What the authorizing key signs to approve a policy.
    static func approval(of policy: [UInt8], reference: [UInt8]) throws(HSMError) -> [UInt8] {
        try hash(policy + reference)
    }

    private static func hash(_ bytes: [UInt8]) throws(HSMError) -> [UInt8] {
        do {
            return try Digest.sha256(bytes)
        } catch {
            throw HSMError(.deviceFailure, "Could not hash a policy: \(error).")
        }
    }
}
