import CTSS2
import Encodings
import SecretMemory
import Token

/// Makes the keys of one instance.
struct TPMProvisioner {
    let instance: String
    let connection: TPMConnection

    var context: TPMContext { connection.context }
    var handles: TPMHandles { TPMHandles(connection.configuration.address.handles) }

    func run() throws(HSMError) -> TokenManifest {
        if let registers = connection.configuration.address.registers { try refuseResettable(registers) }
        for role in TPMHandles.roles where try context.persistentObject(handles[role]) != nil {
            throw taken(role)
        }
        try refuseTakenAttestationHandle()
        for index in [handles.memory, handles.counter] where try context.memory(index) != nil {
            throw HSMError(
                .alreadyProvisioned, "The TPM's index 0x\(String(index, radix: 16)) is taken; give other handles.")
        }
        let owner = try Authorization.ofOwner(connection.configuration.ownerSource)
        let primary = try storageKey(owner)
        try context.startSession(saltedBy: primary.handle)
        var identity = connection.identity
        identity.serial = Hexadecimal.encode(primary.name)
        var manifest = TokenManifest(instance: instance, token: identity, keys: [:])
        manifest[.residentWrap] = record(.residentWrap, primary)
        do throws(HSMError) {
            if let registers = connection.configuration.address.registers {
                try makePolicy(registers, below: primary)
            }
            for role in TPMHandles.roles { manifest[role] = try make(role, below: primary, owner) }
            manifest.attestationKey = try makeAttestationKey(below: primary, owner)
            try context.makeMemory(
                handles.memory, size: TPMToken.keptBytes, mark: try mark(TPMMark.kept(instance)),
                authorization: connection.authorization, owner: owner)
            try context.makeCounter(
                handles.counter, mark: try mark(TPMMark.keptCounter(instance)),
                authorization: connection.authorization, owner: owner)
        } catch {
            _ = try? sweep()
            throw error
        }
        return manifest
    }

    func sweep() throws(HSMError) -> [String] {
        let owner = try Authorization.ofOwner(connection.configuration.ownerSource)
        try context.startSession(saltedBy: TPMContext.none)
        let policy = try policyMark()
        var swept: [String] = []
        for role in TPMHandles.roles {
            guard let object = try context.persistentObject(handles[role]), try isOurs(object, role) else { continue }
            try context.removePersistent(object.handle, at: handles[role], owner: owner)
            swept.append(TokenManifest.label(instance: instance, role: role))
        }
        swept += try sweepAttestationKey(owner)
        for (index, label) in [
            (handles.memory, TPMMark.kept(instance)), (handles.counter, TPMMark.keptCounter(instance)),
        ] {
            guard let memory = try context.memory(index), [try mark(label), policy].contains(memory.mark) else {
                continue
            }
            try context.removeMemory(memory.handle, owner: owner)
            swept.append(label)
        }
        return swept
    }

    /// The TPM's storage key at our handle; what is there already must be the very same.
    private func storageKey(_ owner: SharedSecret?) throws(HSMError) -> TPMObject {
        // Its own call cannot be salted: there is no key of a known name yet. It reveals no authorization value.
        try context.startSession(saltedBy: TPMContext.none)
        let made = try context.makePrimary(owner: owner)
        let name = try context.describe(made).name
        if let there = try context.persistentObject(handles.primary) {
            try context.flush(made)
            guard there.name == name else {
                throw HSMError(
                    .alreadyProvisioned,
                    "The TPM's handle \(handles.text(.residentWrap)) is taken by another object than its storage key. "
                        + "Give other handles with 'handles=' in token-uri.")
            }
            return there
        }
        try context.persist(made, at: handles.primary, owner: owner)
        try context.flush(made)
        guard let kept = try context.persistentObject(handles.primary), kept.name == name else {
            throw HSMError(.deviceFailure, "The TPM did not keep its storage key.")
        }
        return kept
    }

    func make(
        _ role: KeyRole, below primary: TPMObject, _ owner: SharedSecret?
    ) throws(HSMError) -> TokenManifest.Key {
        let lockout: Int32 = connection.configuration.address.lockout ? 1 : 0
        var template =
            role.signs
            ? kms_signing_template(TPM2_ECC_CURVE(TPM2_ECC_NIST_P256), lockout) : kms_hmac_template(lockout)
        let digest = try mark(role)
        kms_set_label(&template, digest, digest.count)
        let blob = try context.makeKey(
            template, parent: primary.handle, authorization: connection.authorization)
        let loaded = try context.load(blob, parent: primary.handle)
        defer { _ = try? context.flush(loaded) }
        try context.persist(loaded, at: handles[role], owner: owner)
        guard let kept = try context.persistentObject(handles[role]) else {
            throw HSMError(.deviceFailure, "The TPM did not keep the key of '\(role.rawValue)'.")
        }
        var record = record(role, kept)
        // As with every other token: the fingerprint of a key pair is that of its public key.
        if role.signs { record.fingerprint = try TPMToken.describe(kept).fingerprint }
        if role.seals { record.sentinel = Hexadecimal.encode(try sentinel(role, kept)) }
        return record
    }

    private func record(_ role: KeyRole, _ object: TPMObject) -> TokenManifest.Key {
        // The one curve for signatures that every TPM has.
        let kind = role.signs ? KeyKind.ecP256 : role.kinds[0]
        return TokenManifest.Key(
            id: handles.text(role), label: TokenManifest.label(instance: instance, role: role), kind: kind,
            fingerprint: Hexadecimal.encode(object.name), sentinel: nil)
    }

    private func sentinel(_ role: KeyRole, _ object: TPMObject) throws(HSMError) -> [UInt8] {
        let salt = SystemRandom.bytes(RecordKeys.saltLength)
        let recordContext = TokenManifest.sentinelContext(instance: instance, role: role)
        let key = try context.secretHMAC(
            object.handle, connection.authorization,
            try RecordKeys.message(role: role, salt: salt, context: recordContext))
        let secret: SharedSecret
        do { secret = SharedSecret(try SecretBytes.random(count: 32)) } catch {
            throw HSMError(.overloaded, "No locked memory for a secret: \(error).")
        }
        return try RecordKeys.seal(secret, key: key, salt: salt, context: recordContext)
    }

    func mark(_ role: KeyRole) throws(HSMError) -> [UInt8] {
        try mark(TokenManifest.label(instance: instance, role: role))
    }

    func mark(_ label: String) throws(HSMError) -> [UInt8] { try TPMMark.of(label) }
}
