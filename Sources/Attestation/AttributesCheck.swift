import Encodings
import LibCrypto
import Token
import WorkingKeys

/// Checks a PKCS #11 token's attributes against the statement that contains them.
///
/// `local`, `always_sensitive` and `never_extractable` of the key itself are told and not asked for: the standard sets
/// them to false for every unwrapped key (PKCS #11 2.40 base, 5.13.5), and resident keys are unwrapped at each use. They
/// are asked for of the key that wraps them, which never was outside, unless the daemon says that the module sets them on no
/// key at all: then that key's birth rests on the daemon's word, as everything else here does.
struct AttributesCheck {
    let keyType: String
    let evidence: PKCS11Evidence

    func run() throws(AttestationFinding) {
        let key = evidence.key
        guard key.sensitive == true, key.extractable == false else {
            throw AttestationFinding(
                .attributes, "The token would give the key out: it is extractable or not sensitive.")
        }
        guard let expected = Self.expected(keyType), key.objectClass == expected.objectClass,
            key.keyType == expected.keyType, key.mechanisms == [expected.mechanism]
        else {
            throw AttestationFinding(
                .attributes, "The object in the token is of another kind than the statement's key, or may do more.")
        }
        let wrapping = evidence.wrappingKey
        // exact: what the token says is a number; these are our names for it.
        guard wrapping.objectClass == "CKO_SECRET_KEY", wrapping.keyType == "CKK_AES", wrapping.sensitive == true,
            wrapping.extractable == false, isTold(wrapping.local, "CKA_LOCAL"),
            isTold(wrapping.neverExtractable, "CKA_NEVER_EXTRACTABLE"),
            wrapping.mechanisms == ["CKM_AES_KEY_WRAP_PAD"]
        else {
            throw AttestationFinding(
                .attributes,
                "The key that wraps this one was not born in the token, could leave it, or may do more than wrap.")
        }
    }

    /// An attribute that is absent was not asked for; one that is false accuses only where the module sets it at all.
    private func isTold(_ value: Bool?, _ name: String) -> Bool {
        value == true || (value == false && evidence.untold?.contains(name) == true)
    }

    private static func expected(
        _ keyType: String
    ) -> (objectClass: String, keyType: String, mechanism: String)? {
        guard let type = KeyType(exactly: keyType) else { return nil }
        if type == .hmacSHA256Tag256 { return ("CKO_SECRET_KEY", "CKK_GENERIC_SECRET", "CKM_SHA256_HMAC") }
        if type.aead == .aes128GCM || type.aead == .aes256GCM { return ("CKO_SECRET_KEY", "CKK_AES", "CKM_AES_GCM") }
        if type == .ed25519 { return ("CKO_PRIVATE_KEY", "CKK_EC_EDWARDS", "CKM_EDDSA") }
        if type.signingCurve != nil { return ("CKO_PRIVATE_KEY", "CKK_EC", "CKM_ECDSA") }
        if type.agreementCurve != nil, type != .x25519ECDHKW {
            return ("CKO_PRIVATE_KEY", "CKK_EC", "CKM_ECDH1_DERIVE")
        }
        return nil
    }
}
