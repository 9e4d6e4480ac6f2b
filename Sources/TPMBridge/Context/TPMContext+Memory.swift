import CTSS2
import SecretMemory
import Token

/// Non-volatile memory: plain, and counters.
extension TPMContext {
    /// Makes memory and writes it once: later, memory that was never written is known to be another one.
    func makeMemory(
        _ index: UInt32, size: Int, mark: [UInt8], authorization: SharedSecret, owner: SharedSecret?
    ) throws(HSMError) {
        // Written by one command, so that no power failure leaves half of it.
        guard longestMemory.map({ $0 >= size }) ?? true else {
            throw HSMError(
                .mechanismUnsupported,
                "The TPM writes at most \(longestMemory ?? 0) bytes of memory at once; \(size) are needed.")
        }
        let handle = try define(kms_memory_template(index, UInt16(size)), mark, authorization, owner)
        try writeMemory(handle, [], authorization)
    }

    /// Makes a counter and counts once: one that never did has no number.
    func makeCounter(
        _ index: UInt32, mark: [UInt8], authorization: SharedSecret, owner: SharedSecret?
    ) throws(HSMError) {
        try increment(try define(kms_counter_template(index), mark, authorization, owner), authorization)
    }

    private func define(
        _ template: TPM2B_NV_PUBLIC, _ mark: [UInt8], _ authorization: SharedSecret, _ owner: SharedSecret?
    ) throws(HSMError) -> ESYS_TR {
        var value = TPM2B_AUTH()
        defer { TPMBytes.wipe(&value) }
        authorization.withUnsafeBytes { TPMBytes.fill(&value, $0) }
        var area = template
        TPMBytes.fill(&area.nvPublic.authPolicy, mark)
        if let policy {
            kms_bind_memory(&area)
            TPMBytes.fill(&area.nvPublic.authPolicy, policy.authority.policy)
        }
        var handle = Self.none
        try withAuthorization(Self.owner, owner) { () throws(HSMError) in
            let session = try session(encrypting: false, decrypting: true)
            try call("Esys_NV_DefineSpace") {
                Esys_NV_DefineSpace(esys, Self.owner, session, Self.none, Self.none, &value, &area, &handle)
            }
        }
        note(handle, wantsPolicy: policy != nil)
        return handle
    }

    /// What is at an index, and the mark that it was made with; nil if nothing is.
    func memory(_ index: UInt32) throws(HSMError) -> (handle: ESYS_TR, mark: [UInt8], isCounter: Bool)? {
        guard try handles(from: index).first == index else { return nil }
        var handle = Self.none
        try call("Esys_TR_FromTPMPublic") {
            Esys_TR_FromTPMPublic(esys, index, Self.none, Self.none, Self.none, &handle)
        }
        let area = try call("Esys_NV_ReadPublic") {
            Esys_NV_ReadPublic(esys, handle, Self.none, Self.none, Self.none, $0, nil)
        } result: { (area: TPM2B_NV_PUBLIC) throws(HSMError) in
            area
        }
        note(handle, wantsPolicy: area.nvPublic.attributes & TPMA_NV(TPMA_NV_AUTHREAD) == 0)
        let kind = (area.nvPublic.attributes & TPMA_NV(TPMA_NV_TPM2_NT_MASK)) >> TPMA_NV(TPMA_NV_TPM2_NT_SHIFT)
        return (handle, TPMBytes.array(area.nvPublic.authPolicy), kind == TPMA_NV(TPM2_NT_COUNTER))
    }

    /// All of a plain memory; nil if it was never written.
    func readMemory(_ memory: ESYS_TR, _ authorization: SharedSecret) throws(HSMError) -> [UInt8]? {
        try written(memory, TPMToken.keptBytes, authorization)
    }

    /// What a counter stands at; nil if it never counted.
    func readCounter(_ counter: ESYS_TR, _ authorization: SharedSecret) throws(HSMError) -> UInt64? {
        try written(counter, 8, authorization)?.reduce(0) { $0 << 8 | UInt64($1) }
    }

    func increment(_ counter: ESYS_TR, _ authorization: SharedSecret) throws(HSMError) {
        try withAuthorization(counter, authorization) { () throws(HSMError) in
            let session = try session(encrypting: false, decrypting: false)
            try call("Esys_NV_Increment") {
                Esys_NV_Increment(esys, counter, counter, session, Self.none, Self.none)
            }
        }
    }

    private func written(
        _ index: ESYS_TR, _ count: Int, _ authorization: SharedSecret
    ) throws(HSMError) -> [UInt8]? {
        do throws(HSMError) {
            return try read(index, count, authorization)
        } catch {
            // NV_UNINITIALIZED.
            guard error.tpmResponse?.rawValue == 0x14A else { throw error }
            return nil
        }
    }

    /// Writes from the start of a plain memory.
    func writeMemory(_ memory: ESYS_TR, _ bytes: [UInt8], _ authorization: SharedSecret) throws(HSMError) {
        var buffer = TPM2B_MAX_NV_BUFFER()
        // All of it: memory that is written in part could not be read as a whole.
        TPMBytes.fill(&buffer, bytes + [UInt8](repeating: 0, count: TPMToken.keptBytes - bytes.count))
        try withAuthorization(memory, authorization) { () throws(HSMError) in
            let session = try session(encrypting: false, decrypting: true)
            try call("Esys_NV_Write") {
                Esys_NV_Write(esys, memory, memory, session, Self.none, Self.none, &buffer, 0)
            }
        }
    }

    private func read(
        _ index: ESYS_TR, _ count: Int, _ authorization: SharedSecret
    ) throws(HSMError) -> [UInt8] {
        try withAuthorization(index, authorization) { () throws(HSMError) in
            let session = try session(encrypting: true, decrypting: false)
            return try call("Esys_NV_Read") {
                Esys_NV_Read(esys, index, index, session, Self.none, Self.none, UInt16(count), 0, $0)
            } result: { (data: TPM2B_MAX_NV_BUFFER) throws(HSMError) in
                TPMBytes.array(data)
            }
        }
    }

    func removeMemory(_ memory: ESYS_TR, owner: SharedSecret?) throws(HSMError) {
        try withAuthorization(Self.owner, owner) { () throws(HSMError) in
            let session = try session(encrypting: false, decrypting: false)
            try call("Esys_NV_UndefineSpace") {
                Esys_NV_UndefineSpace(esys, Self.owner, memory, session, Self.none, Self.none)
            }
        }
    }
}
