/// `TPMS_ATTEST` of a certification, read strictly.
///
/// Source: TPM 2.0 Library part 2, sections 10.12.3 and 10.12.8.
struct TPMCertification: Equatable {
    /// Qualified name of the key that signed.
    let qualifiedSigner: [UInt8]
    let extraData: [UInt8]
    /// Milliseconds that the TPM has been powered since its last clear; told only.
    let clock: UInt64
    let name: [UInt8]
    let qualifiedName: [UInt8]

    /// No message of somebody else begins so: restricted keys refuse to sign it.
    private static let generatedValue: UInt32 = 0xFF54_4347
    private static let attestCertify: UInt16 = 0x8017
    private static let longestName = 66

    init(_ bytes: [UInt8]) throws(AttestationFinding) {
        var reader = TPMReader(bytes)
        guard try reader.word() == Self.generatedValue else { throw .form("the TPM did not make it") }
        guard try reader.short() == Self.attestCertify else { throw .form("it is no certification") }
        qualifiedSigner = try reader.sized(upTo: Self.longestName)
        extraData = try reader.sized(upTo: 66)
        clock = try reader.long()
        // resetCount, restartCount, safe, firmwareVersion; masked for keys of the owner's.
        _ = try reader.word()
        _ = try reader.word()
        guard try reader.byte() <= 1 else { throw .form("a truth value is neither 0 nor 1") }
        _ = try reader.long()
        name = try reader.sized(upTo: Self.longestName)
        qualifiedName = try reader.sized(upTo: Self.longestName)
        try reader.end()
    }
}
