import CTSS2
import HSMBridge

/// Platform configuration registers.
extension TPMContext {
    /// The values of the registers now. Nobody vouches for the answer; the TPM itself compares when a key is used.
    ///
    /// - Throws: `.configurationRefused` if the TPM has no such bank.
    func registers(_ selection: PCRSelection) throws(HSMError) -> PCRValues {
        var found: [Int: [UInt8]] = [:]
        // A response has room for eight values; a TPM that gives none is not asked again.
        while found.count < selection.indices.count {
            let missing = selection.indices.filter { found[$0] == nil }
            guard let rest = PCRSelection(selection.bank, missing) else { break }
            let answer = try registersOnce(rest)
            guard !answer.isEmpty else {
                throw HSMError(
                    .configurationRefused, "The TPM has no bank \(selection.bank.rawValue), or not all of \(selection)."
                )
            }
            found.merge(answer) { _, new in new }
        }
        guard let values = PCRValues(selection.bank, found), values.selection == selection else {
            throw HSMError(.deviceFailure, "The TPM answered with other registers than those asked for.")
        }
        return values
    }

    private func registersOnce(_ selection: PCRSelection) throws(HSMError) -> [Int: [UInt8]] {
        var asked = Self.list(selection)
        var counter: UInt32 = 0
        var shown: UnsafeMutablePointer<TPML_PCR_SELECTION>?
        var values: UnsafeMutablePointer<TPML_DIGEST>?
        try call("Esys_PCR_Read") {
            Esys_PCR_Read(esys, Self.none, Self.none, Self.none, &asked, &counter, &shown, &values)
        }
        defer {
            Esys_Free(shown)
            Esys_Free(values)
        }
        guard let shown, let values, shown.pointee.count <= 1 else {
            throw HSMError(.deviceFailure, "Esys_PCR_Read gave nothing.")
        }
        let entry = shown.pointee.pcrSelections.0
        guard shown.pointee.count == 1, entry.hash == selection.bank.algorithm else { return [:] }
        let indices = withUnsafeBytes(of: entry.pcrSelect) { bitmap in
            selection.indices.filter { $0 / 8 < Int(entry.sizeofSelect) && bitmap[$0 / 8] >> UInt8($0 % 8) & 1 == 1 }
        }
        let digests = withUnsafeBytes(of: values.pointee.digests) { raw in
            raw.bindMemory(to: TPM2B_DIGEST.self).prefix(Int(values.pointee.count)).map { TPMBytes.array($0) }
        }
        guard indices.count == digests.count, digests.allSatisfy({ $0.count == selection.bank.width }) else {
            throw HSMError(.deviceFailure, "The TPM answered with other registers than those asked for.")
        }
        return [Int: [UInt8]](uniqueKeysWithValues: zip(indices, digests))
    }

    static func list(_ selection: PCRSelection) -> TPML_PCR_SELECTION {
        var list = TPML_PCR_SELECTION()
        list.count = 1
        list.pcrSelections.0.hash = selection.bank.algorithm
        list.pcrSelections.0.sizeofSelect = 3
        let bitmap = selection.marshalled.suffix(3)
        withUnsafeMutableBytes(of: &list.pcrSelections.0.pcrSelect) { $0.copyBytes(from: bitmap) }
        return list
    }
}
