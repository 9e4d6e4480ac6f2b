/// `TPMT_SIGNATURE` of ECDSA on P-256 with SHA-256, read strictly.
///
/// Source: TPM 2.0 Library part 2, section 11.3.4.
struct TPMSignature {
    /// r ‖ s, 64 bytes.
    let fixedWidth: [UInt8]

    init(_ bytes: [UInt8]) throws(AttestationFinding) {
        var reader = TPMReader(bytes)
        guard try reader.short() == TPMPublicArea.ecdsa, try reader.short() == TPMPublicArea.sha256 else {
            throw .form("a signature is not ECDSA with SHA-256")
        }
        let r = try reader.sized(upTo: 32)
        let s = try reader.sized(upTo: 32)
        try reader.end()
        fixedWidth =
            [UInt8](repeating: 0, count: 32 - r.count) + r + [UInt8](repeating: 0, count: 32 - s.count) + s
    }
}
