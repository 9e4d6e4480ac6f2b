import CTSS2
import HSMBridge
import SecretMemory

/// Counters in non-volatile memory.
extension TPMContext {
    /// Makes a counter and starts it: before its first increment it has no number.
    func makeCounter(
        _ index: UInt32, mark: [UInt8], authorization: SharedSecret, owner: SharedSecret?
    ) throws(HSMError) {
        var value = TPM2B_AUTH()
        defer { TPMBytes.wipe(&value) }
        authorization.withUnsafeBytes { TPMBytes.fill(&value, $0) }
        var area = kms_counter_template(index)
        TPMBytes.fill(&area.nvPublic.authPolicy, mark)
        var handle = Self.none
        try withAuthorization(Self.owner, owner) { () throws(HSMError) in
            let session = try session(encrypting: false, decrypting: true)
            try call("Esys_NV_DefineSpace") {
                Esys_NV_DefineSpace(esys, Self.owner, session, Self.none, Self.none, &value, &area, &handle)
            }
        }
        try incrementCounter(handle, authorization)
    }

    /// The counter at an index and the mark that it was made with; nil if there is none.
    func counter(_ index: UInt32) throws(HSMError) -> (handle: ESYS_TR, mark: [UInt8])? {
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
        return (handle, TPMBytes.array(area.nvPublic.authPolicy))
    }

    func incrementCounter(_ counter: ESYS_TR, _ authorization: SharedSecret) throws(HSMError) {
        try withAuthorization(counter, authorization) { () throws(HSMError) in
            let session = try session(encrypting: false, decrypting: false)
            try call("Esys_NV_Increment") {
                Esys_NV_Increment(esys, counter, counter, session, Self.none, Self.none)
            }
        }
    }

    func readCounter(_ counter: ESYS_TR, _ authorization: SharedSecret) throws(HSMError) -> UInt64 {
        let bytes = try withAuthorization(counter, authorization) { () throws(HSMError) in
            let session = try session(encrypting: true, decrypting: false)
            return try call("Esys_NV_Read") {
                Esys_NV_Read(esys, counter, counter, session, Self.none, Self.none, 8, 0, $0)
            } result: { (data: TPM2B_MAX_NV_BUFFER) throws(HSMError) in
                TPMBytes.array(data)
            }
        }
        guard bytes.count == 8 else { throw HSMError(.deviceFailure, "A counter of the TPM has not 8 bytes.") }
        return bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    func removeCounter(_ counter: ESYS_TR, owner: SharedSecret?) throws(HSMError) {
        try withAuthorization(Self.owner, owner) { () throws(HSMError) in
            let session = try session(encrypting: false, decrypting: false)
            try call("Esys_NV_UndefineSpace") {
                Esys_NV_UndefineSpace(esys, Self.owner, counter, session, Self.none, Self.none)
            }
        }
    }
}
