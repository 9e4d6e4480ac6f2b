import ArgumentParser
import CTPMYardstick

/// What one turn of the C loop on a TPM does.
enum TPMOperation: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// HMAC-SHA-256 of 100 bytes: what sealing and opening a record ask of the TPM.
    case hmac
    /// ECDSA on P-256 over a digest.
    case sign
    /// ECDH on P-256 (TPM2_ECDH_ZGen).
    case zgen

    /// The number that the C code knows it by.
    var number: Int32 {
        switch self {
        case .hmac: Int32(KMS_TPM_HMAC)
        case .sign: Int32(KMS_TPM_SIGN)
        case .zgen: Int32(KMS_TPM_ZGEN)
        }
    }
}
