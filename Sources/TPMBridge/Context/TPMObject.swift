import CTSS2

/// A key that the TPM has loaded or keeps.
struct TPMObject {
    let handle: ESYS_TR
    /// What identifies a key: the hash algorithm, then the hash of the public area (TPM 2.0 Library part 1, section 16).
    let name: [UInt8]
    let publicArea: TPM2B_PUBLIC

    /// Whether it is a signing key that was made in its TPM and cannot leave it, and that does nothing else.
    var isBoundSigningKey: Bool {
        let area = publicArea.publicArea
        // The two attributes that the configuration decides are left out: one is compared with the other keys'.
        let decided = UInt32(TPMA_OBJECT_NODA) | UInt32(TPMA_OBJECT_USERWITHAUTH)
        return area.type == TPMI_ALG_PUBLIC(TPM2_ALG_ECC)
            && area.objectAttributes & ~decided == kms_leaf_attributes(1) & ~decided
    }

    /// 04 ‖ X ‖ Y of a key on an elliptic curve.
    func point(width: Int) -> [UInt8]? { Self.point(of: publicArea, width: width) }

    static func point(of publicArea: TPM2B_PUBLIC, width: Int) -> [UInt8]? {
        let point = publicArea.publicArea.unique.ecc
        guard publicArea.publicArea.type == TPMI_ALG_PUBLIC(TPM2_ALG_ECC),
            let x = TPMBytes.padded(TPMBytes.array(point.x), to: width),
            let y = TPMBytes.padded(TPMBytes.array(point.y), to: width)
        else { return nil }
        return [4] + x + y
    }
}
