import CTSS2
import LibCrypto
import SecretMemory
import Token

/// Finding, making, loading and removing objects.
extension TPMContext {
    /// The object at a persistent handle; nil if there is none.
    ///
    /// - Throws: `.deviceFailure` if name and public area do not belong together.
    func persistentObject(_ handle: UInt32) throws(HSMError) -> TPMObject? {
        var object = Self.none
        do throws(HSMError) {
            try call("Esys_TR_FromTPMPublic") {
                Esys_TR_FromTPMPublic(esys, handle, Self.none, Self.none, Self.none, &object)
            }
        } catch {
            guard error.tpmResponse?.code == 0x08B else { throw error }
            return nil
        }
        return try describe(object)
    }

    /// Reads a loaded object's public area and checks that it is what its name says, also in the TSS's copy, to which
    /// salts are encrypted: neither a TPM nor the way to it is taken at its word.
    func describe(_ object: ESYS_TR) throws(HSMError) -> TPMObject {
        let publicArea = try call("Esys_ReadPublic") {
            Esys_ReadPublic(esys, object, Self.none, Self.none, Self.none, $0, nil, nil)
        } result: { (area: TPM2B_PUBLIC) throws(HSMError) in
            area
        }
        let name = try call("Esys_TR_GetName") {
            Esys_TR_GetName(esys, object, $0)
        } result: { (name: TPM2B_NAME) throws(HSMError) in
            TPMBytes.array(name)
        }
        guard try Self.name(of: publicArea) == name,
            try serialized(object).containsSequence(try Self.marshal(publicArea))
        else { throw HSMError(.deviceFailure, "The TPM shows a public key that is not the one it names.") }
        note(object, wantsPolicy: Self.wantsPolicy(publicArea))
        return TPMObject(handle: object, name: name, publicArea: publicArea)
    }

    private func serialized(_ object: ESYS_TR) throws(HSMError) -> [UInt8] {
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        try call("Esys_TR_Serialize") { Esys_TR_Serialize(esys, object, &bytes, &count) }
        defer { Esys_Free(bytes) }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }

    /// Name algorithm ‖ digest (TPM 2.0 Library part 1, section 16); only SHA-256 is ours.
    static func name(of publicArea: TPM2B_PUBLIC) throws(HSMError) -> [UInt8] {
        // Without the length in front.
        let bytes = Array(try marshal(publicArea).dropFirst(2))
        do {
            return [0x00, 0x0B] + (try Digest.sha256(bytes))
        } catch {
            throw HSMError(.deviceFailure, "Could not hash a public area: \(error).")
        }
    }

    static func marshal(_ publicArea: TPM2B_PUBLIC) throws(HSMError) -> [UInt8] {
        var area = publicArea
        var bytes = [UInt8](repeating: 0, count: MemoryLayout<TPM2B_PUBLIC>.size)
        var count = 0
        let response = TPMResponse(rawValue: Tss2_MU_TPM2B_PUBLIC_Marshal(&area, &bytes, bytes.count, &count))
        guard response == .success else { throw .returned(response, by: "Tss2_MU_TPM2B_PUBLIC_Marshal") }
        return Array(bytes.prefix(count))
    }

    /// The storage key: the same for the same TPM until its owner is cleared.
    func makePrimary(owner: SharedSecret?) throws(HSMError) -> ESYS_TR {
        var sensitive = TPM2B_SENSITIVE_CREATE()
        var template = kms_storage_template()
        var outside = TPM2B_DATA()
        var selection = TPML_PCR_SELECTION()
        var object = Self.none
        try withAuthorization(Self.owner, owner) { () throws(HSMError) in
            let session = try session(encrypting: false, decrypting: false)
            try call("Esys_CreatePrimary") {
                Esys_CreatePrimary(
                    esys, Self.owner, session, Self.none, Self.none, &sensitive, &template, &outside, &selection,
                    &object, nil, nil, nil, nil)
            }
        }
        return object
    }

    /// Makes a key below the storage key.
    ///
    /// - Returns: The public area and the private one, encrypted by the TPM for itself.
    func makeKey(
        _ template: TPM2B_PUBLIC, parent: ESYS_TR, authorization: SharedSecret
    ) throws(HSMError) -> TPMKeyBlob {
        try create(bound(template), parent: parent, authorization: authorization, sealing: nil)
    }

    /// Makes an object of exactly this template below the storage key; `sealing` is what it holds, if that is given.
    func create(
        _ template: TPM2B_PUBLIC, parent: ESYS_TR, authorization: SharedSecret, sealing secret: SharedSecret?
    ) throws(HSMError) -> TPMKeyBlob {
        var sensitive = TPM2B_SENSITIVE_CREATE()
        defer { TPMBytes.wipe(&sensitive) }
        secret?.withUnsafeBytes { TPMBytes.fill(&sensitive.sensitive.data, $0) }
        authorization.withUnsafeBytes { TPMBytes.fill(&sensitive.sensitive.userAuth, $0) }
        var template = template
        var outside = TPM2B_DATA()
        var selection = TPML_PCR_SELECTION()
        var privatePart: UnsafeMutablePointer<TPM2B_PRIVATE>?
        var publicPart: UnsafeMutablePointer<TPM2B_PUBLIC>?
        let session = try session(encrypting: true, decrypting: true)
        try call("Esys_Create") {
            Esys_Create(
                esys, parent, session, Self.none, Self.none, &sensitive, &template, &outside, &selection,
                &privatePart, &publicPart, nil, nil, nil)
        }
        defer {
            Esys_Free(privatePart)
            Esys_Free(publicPart)
        }
        guard let privatePart, let publicPart else { throw HSMError(.deviceFailure, "Esys_Create gave nothing.") }
        return TPMKeyBlob(publicArea: publicPart.pointee, privateArea: privatePart.pointee)
    }

    func load(_ blob: TPMKeyBlob, parent: ESYS_TR) throws(HSMError) -> ESYS_TR {
        var publicArea = blob.publicArea
        var privateArea = blob.privateArea
        var object = Self.none
        let session = try session(encrypting: true, decrypting: true)
        try call("Esys_Load") {
            Esys_Load(esys, parent, session, Self.none, Self.none, &privateArea, &publicArea, &object)
        }
        note(object, wantsPolicy: Self.wantsPolicy(blob.publicArea))
        return object
    }

    func flush(_ object: ESYS_TR) throws(HSMError) {
        note(object, wantsPolicy: false)
        try call("Esys_FlushContext") { Esys_FlushContext(esys, object) }
    }

    /// Keeps a loaded object at a persistent handle.
    func persist(_ object: ESYS_TR, at handle: UInt32, owner: SharedSecret?) throws(HSMError) {
        var kept = Self.none
        try withAuthorization(Self.owner, owner) { () throws(HSMError) in
            let session = try session(encrypting: false, decrypting: false)
            try call("Esys_EvictControl") {
                Esys_EvictControl(esys, Self.owner, object, session, Self.none, Self.none, handle, &kept)
            }
        }
        if kept != Self.none { _ = Esys_TR_Close(esys, &kept) }
    }

    /// Removes a persistent object.
    func removePersistent(_ object: ESYS_TR, at handle: UInt32, owner: SharedSecret?) throws(HSMError) {
        try persist(object, at: handle, owner: owner)
    }
}

extension [UInt8] {
    /// Whether `other` occurs in it.
    fileprivate func containsSequence(_ other: [UInt8]) -> Bool {
        guard !other.isEmpty, other.count <= count else { return false }
        return (0...(count - other.count)).contains { self[$0..<($0 + other.count)].elementsEqual(other) }
    }
}
