import CTSS2
import LibCrypto
import Token

extension ResidentAlgorithm {
    /// A curve of the TPM: its number there, the width of its numbers and its name here.
    struct TPMCurve {
        let identifier: UInt16
        let width: Int
        let curve: SigningCurve

        var agreementCurve: AgreementCurve? {
            switch curve {
            case .p256: .p256
            case .p384: .p384
            case .p521: .p521
            default: nil
            }
        }
    }

    var tpmCurve: TPMCurve? {
        switch self {
        case .p256, .p256Agreement: TPMCurve(identifier: UInt16(TPM2_ECC_NIST_P256), width: 32, curve: .p256)
        case .p384, .p384Agreement: TPMCurve(identifier: UInt16(TPM2_ECC_NIST_P384), width: 48, curve: .p384)
        case .p521, .p521Agreement: TPMCurve(identifier: UInt16(TPM2_ECC_NIST_P521), width: 66, curve: .p521)
        case .secp256k1, .ed25519, .aes128, .aes256, .hmacSHA256: nil
        }
    }

    /// What a key of this kind is made from; nil if no TPM holds such keys.
    func template(lockout: Bool) -> TPM2B_PUBLIC? {
        if self == .hmacSHA256 { return kms_hmac_template(lockout ? 1 : 0) }
        return tpmCurve.map { curve in
            isAgreement
                ? kms_agreement_template(curve.identifier, lockout ? 1 : 0)
                : kms_signing_template(curve.identifier, lockout ? 1 : 0)
        }
    }
}
