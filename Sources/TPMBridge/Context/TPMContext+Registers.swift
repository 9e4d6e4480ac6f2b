import CTSS2
import Token

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

    /// The registers that TPM2_PCR_Reset puts back: for programs at locality 0, which all are that an operating system
    /// starts, and for those at a locality from 1 to 3. Locality 4 is the machine's own.
    ///
    /// A TPM that does not tell is taken for one of a PC (TCG PC Client Platform TPM Profile, section 4.6.2).
    func resettableRegisters() throws(HSMError) -> (anybody: Set<Int>, elsewhere: Set<Int>) {
        let first = KMS_TPM2_PT_PCR_RESET_L0
        let told = try pcrProperties(from: first, count: 7)
        let anybody = told[first] ?? [16, 23]
        var elsewhere: Set<Int> = told.isEmpty ? [20, 21, 22] : []
        for locality: UInt32 in 1...3 { elsewhere.formUnion(told[first + 2 * locality] ?? []) }
        return (anybody, elsewhere.subtracting(anybody))
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
