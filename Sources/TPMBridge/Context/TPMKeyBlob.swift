import CTSS2
import Token

/// A key as its TPM gives it out: the public area, and the private one encrypted under the storage key.
///
/// As bytes: `TPM2B_PUBLIC` ‖ `TPM2B_PRIVATE`, both as the TPM marshals them. Only the TPM that made it loads it.
struct TPMKeyBlob {
    let publicArea: TPM2B_PUBLIC
    let privateArea: TPM2B_PRIVATE

    /// Longer input is never one of ours.
    static let longestBytes = 2048

    init(publicArea: TPM2B_PUBLIC, privateArea: TPM2B_PRIVATE) {
        self.publicArea = publicArea
        self.privateArea = privateArea
    }

    func bytes() throws(HSMError) -> [UInt8] {
        var privateArea = privateArea
        var bytes = [UInt8](repeating: 0, count: MemoryLayout<TPM2B_PRIVATE>.size)
        var count = 0
        let response = TPMResponse(rawValue: Tss2_MU_TPM2B_PRIVATE_Marshal(&privateArea, &bytes, bytes.count, &count))
        guard response == .success else { throw .returned(response, by: "Tss2_MU_TPM2B_PRIVATE_Marshal") }
        return try TPMContext.marshal(publicArea) + bytes.prefix(count)
    }

    /// - Throws: `.authenticationFailed` unless it is exactly one blob.
    init(_ bytes: [UInt8]) throws(HSMError) {
        var publicArea = TPM2B_PUBLIC()
        var privateArea = TPM2B_PRIVATE()
        var offset = 0
        guard bytes.count <= Self.longestBytes,
            Tss2_MU_TPM2B_PUBLIC_Unmarshal(bytes, bytes.count, &offset, &publicArea) == 0,
            Tss2_MU_TPM2B_PRIVATE_Unmarshal(bytes, bytes.count, &offset, &privateArea) == 0, offset == bytes.count,
            publicArea.size > 0, privateArea.size > 0
        else { throw HSMError.notAuthentic }
        self.init(publicArea: publicArea, privateArea: privateArea)
    }
}
