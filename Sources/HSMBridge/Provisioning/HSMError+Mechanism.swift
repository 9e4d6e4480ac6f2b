import Encodings
import Token

extension HSMError {
    /// The same error with the mechanism that a role's key of this kind was called with: the name of a call alone tells nobody what
    /// to ask the token's vendor for.
    func naming(_ kind: KeyKind) -> HSMError {
        guard let function = cause?.function, let mechanism = Self.mechanism(of: function, kind) else { return self }
        return HSMError(
            code, "\(message) The role needs \(mechanism); `kmsd token probe --write` tells what else is missing.",
            cause: cause)
    }

    private static func mechanism(of function: String, _ kind: KeyKind) -> String? {
        func begins(_ names: String...) -> Bool { names.contains { function.startsExactly(with: $0) } }
        let isRSA = kind == .rsaSealSHA256 || kind == .rsaSealSHA1
        if isRSA, begins("C_Decrypt") { return "CKM_RSA_PKCS_OAEP" }
        if isRSA, begins("C_GenerateKey") { return "CKM_RSA_PKCS_KEY_PAIR_GEN of 3072 bits" }
        if begins("C_DeriveKey") { return "CKM_ECDH1_DERIVE with CKD_NULL" }
        if begins("C_Encrypt", "C_Decrypt") { return "CKM_AES_GCM with additional data" }
        if begins("C_GenerateKey") { return kind.isPair ? "CKM_EC_KEY_PAIR_GEN" : "CKM_AES_KEY_GEN of 32 bytes" }
        if begins("C_Sign") { return "CKM_ECDSA" }
        if begins("C_Digest") { return "CKM_SHA256" }
        if begins("C_WrapKey", "C_UnwrapKey") { return "CKM_AES_KEY_WRAP_PAD" }
        return nil
    }
}
