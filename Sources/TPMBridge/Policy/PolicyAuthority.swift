import CTSS2
import Encodings
import Token

/// A record that was read and understood: what the TPM needs to satisfy the policy of our keys.
struct PolicyAuthority {
    /// One approved state and what proves it.
    struct Approval {
        let values: PCRValues
        /// r ‖ s.
        let signature: [UInt8]
    }

    let key: TPMKeyBlob
    /// The name of the authorizing key.
    let name: [UInt8]
    let secret: TPMKeyBlob
    let reference: [UInt8]
    /// What the keys carry as their policy.
    let policy: [UInt8]
    var approvals: [Approval]

    init(
        key: TPMKeyBlob, secret: TPMKeyBlob, reference: [UInt8], approvals: [Approval]
    ) throws(HSMError) {
        self.key = key
        self.secret = secret
        self.reference = reference
        self.approvals = approvals
        name = try TPMContext.name(of: key.publicArea)
        policy = try PolicyDigest.authorized(by: name, reference: reference)
    }

    /// - Throws: `.configurationRefused` for a record that is not one of ours.
    init(_ record: TPMPolicyRecord, reference: [UInt8]) throws(HSMError) {
        guard record.format == TPMPolicyRecord.currentFormat else {
            throw Self.refused("has format \(record.format); this version knows format 1")
        }
        guard let key = Hexadecimal.decode(record.authority), let secret = Hexadecimal.decode(record.secret),
            record.approvals.count <= TPMPolicyRecord.longestList
        else { throw Self.refused("is damaged") }
        var approvals: [Approval] = []
        for approval in record.approvals {
            var values: [Int: [UInt8]] = [:]
            for (index, value) in approval.values {
                guard let index = PCRSelection.index(index), let value = Hexadecimal.decode(value) else {
                    throw Self.refused("is damaged")
                }
                values[index] = value
            }
            guard let state = PCRValues(approval.bank, values), let signature = Hexadecimal.decode(approval.signature),
                signature.count == 64
            else { throw Self.refused("is damaged") }
            approvals.append(Approval(values: state, signature: signature))
        }
        guard let key = try? TPMKeyBlob(key), let secret = try? TPMKeyBlob(secret) else {
            throw Self.refused("is damaged")
        }
        try self.init(key: key, secret: secret, reference: reference, approvals: approvals)
    }

    func record(instance: String) throws(HSMError) -> TPMPolicyRecord {
        TPMPolicyRecord(
            format: TPMPolicyRecord.currentFormat, instance: instance, authority: Hexadecimal.encode(try key.bytes()),
            secret: Hexadecimal.encode(try secret.bytes()),
            approvals: approvals.map { approval in
                TPMPolicyRecord.Approval(
                    bank: approval.values.bank,
                    values: [String: String](  // exact: names of banks and registers, this program's own.
                        uniqueKeysWithValues: approval.values.values.map { ("\($0.key)", Hexadecimal.encode($0.value)) }
                    ),
                    signature: Hexadecimal.encode(approval.signature))
            })
    }

    static func refused(_ reason: String) -> HSMError {
        HSMError(
            .configurationRefused,
            "The record of approved states \(reason). Without it the keys do not work: restore pcr-policy.json of this "
                + "installation.")
    }

    /// The keys do not work in the state that the TPM is in.
    static func mismatch(_ current: PCRValues, _ approvals: [Approval]) -> HSMError {
        let nearest = approvals.map { $0.values.differences(from: current) }.min { $0.count < $1.count } ?? []
        let registers = nearest.map(String.init).joined(separator: ", ")
        return HSMError(
            .pcrMismatch,
            "The machine's state is not an approved one: PCR \(registers) of \(current.bank.rawValue) differ. Start the "
                + "approved state again and approve the new one there with `kmsd tpm reseal`.")
    }
}
