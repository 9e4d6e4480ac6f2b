import CTSS2
import SecretMemory
import Token

extension TPMProvisioner {
    /// Makes the key that approves states, approves the one that the TPM is in, and writes the record, before any key
    /// is made that needs it. From then on everything is made with this policy.
    ///
    /// The chain of trust: our keys' policy names the authorizing key; that key wants a random secret; the secret is
    /// sealed under the very same policy. So a new state is approved in an approved state only, and with the PIN, and
    /// the keys themselves never change. Nobody keeps the secret, and the owner of the TPM cannot make it again.
    func makePolicy(_ registers: PCRSelection, below primary: TPMObject) throws(HSMError) {
        guard let store = connection.configuration.policies else {
            throw HSMError(.configurationRefused, "There is no place for the record of approved states.")
        }
        let current = try context.registers(registers)
        let secret: SharedSecret
        do { secret = SharedSecret(try SecretBytes.random(count: 32)) } catch {
            throw HSMError(.overloaded, "No locked memory for a secret: \(error).")
        }
        let key = try context.create(
            kms_signing_template(TPM2_ECC_CURVE(TPM2_ECC_NIST_P256), 0), parent: primary.handle, authorization: secret,
            sealing: nil)
        let reference = try TPMMark.policy(instance)
        let sealed = try context.makeSealed(
            secret,
            policy: try PolicyDigest.authorized(
                by: try TPMContext.name(of: key.publicArea), reference: reference),
            parent: primary.handle, authorization: connection.authorization,
            lockout: connection.configuration.address.lockout)
        var authority = try PolicyAuthority(key: key, secret: sealed, reference: reference, approvals: [])
        let approval = PolicyAuthority.Approval(
            values: current,
            signature: try context.sign(current, key, below: primary, secret: secret, reference: reference))
        authority.approvals = [approval]
        try store.write(try authority.record(instance: instance))
        try context.activate(authority, approval)
    }

    /// The policy of an instance whose provisioning was interrupted; nil if it has none.
    func policyMark() throws(HSMError) -> [UInt8]? {
        guard let record = try connection.configuration.policies?.read(), record.instance == instance else {
            return nil
        }
        return try PolicyAuthority(record, reference: try TPMMark.policy(instance)).policy
    }
}
