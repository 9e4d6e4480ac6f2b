import LibCrypto

/// How public keys leave the daemon, for keys held here and keys held in a token alike.
public enum PublicKeyEncoding {
    /// The bytes of the `public_key` member, before base64.
    ///
    /// - Parameters:
    ///   - raw: 32 bytes for Ed25519 and X25519, the compressed point of 96 for BLS12-381, else 0x04 ‖ X ‖ Y.
    ///   - type: Decides the form: raw bytes (Ed25519, BLS12-381), SubjectPublicKeyInfo (DER types), the point (P1363
    ///     types), or JSON (key agreement).
    ///   - keyID: Names a key agreement key in its JSON; nil for the key's thumbprint. Other types do not carry it.
    /// - Throws: `.invalidArgument` for a key of a wrong length, or a name with other characters than letters, digits, `_`,
    ///   `-` and `.`; `.unsupportedOperation` for a type without public half.
    public static func export(
        _ raw: [UInt8], type: KeyType, keyID: String? = nil
    ) throws(WorkingKeyError) -> [UInt8] {
        try check(raw, type)
        if let curve = type.agreementCurve {
            let name = if let keyID { keyID } else { try thumbprint(raw, type: type) }
            return Array(try AgreementPublicKey(curve: curve, raw: raw, keyID: name).exportedJSON().utf8)
        }
        guard type.signatureEncoding == .der, let curve = type.signingCurve else { return raw }
        return SubjectPublicKeyInfo.encode(curve: curve, publicKey: raw)
    }

    /// The identifier of a new asymmetric key: the thumbprint of its JWK, 43 characters.
    ///
    /// - Throws: like ``export(_:type:keyID:)``.
    public static func thumbprint(_ raw: [UInt8], type: KeyType) throws(WorkingKeyError) -> String {
        try check(raw, type)
        if type == .bls12381G2 { return try JWKThumbprint.octetKeyPair(curve: "Bls12381g2", x: raw) }
        let curve = type.signingCurve?.rawValue ?? type.agreementCurve?.rawValue ?? ""
        if raw.count == 32 { return try JWKThumbprint.octetKeyPair(curve: curve, x: raw) }
        let width = (raw.count - 1) / 2
        return try JWKThumbprint.ellipticCurve(
            curve: type.signingCurve == .secp256k1 ? "SECP256K1" : curve, x: Array(raw[1...width]),
            y: Array(raw[(width + 1)...]))
    }

    /// The thumbprint of the key's JWK by RFC 7638, with the curve's registered name; nil for a type without a registered JWK.
    ///
    /// It is the identifier above but for secp256k1, which TrustBloc names differently.
    ///
    /// - Throws: like ``export(_:type:keyID:)``.
    public static func jwkThumbprint(_ raw: [UInt8], type: KeyType) throws(WorkingKeyError) -> String? {
        guard type.signingCurve != nil || type.agreementCurve != nil else { return nil }
        guard type.signingCurve == .secp256k1 else { return try thumbprint(raw, type: type) }
        try check(raw, type)
        return try JWKThumbprint.ellipticCurve(
            curve: SigningCurve.secp256k1.rawValue, x: Array(raw[1...32]), y: Array(raw[33...]))
    }

    /// The same for a key in its type's export form.
    ///
    /// - Throws: `.invalidArgument` for bytes that are not of that form.
    public static func jwkThumbprint(exported bytes: [UInt8], type: KeyType) throws(WorkingKeyError) -> String? {
        if type.agreementCurve != nil {
            return try jwkThumbprint(try AgreementPublicKey(exportedJSON: bytes).raw, type: type)
        }
        guard type.signatureEncoding == .der, let curve = type.signingCurve else {
            return try jwkThumbprint(bytes, type: type)
        }
        // The point ends the structure, whose head is fixed by the curve.
        let raw = Array(bytes.suffix(curve.publicKeyLength))
        guard raw.count == curve.publicKeyLength, SubjectPublicKeyInfo.encode(curve: curve, publicKey: raw) == bytes
        else {
            throw WorkingKeyError(
                .invalidArgument, "The public key is not a SubjectPublicKeyInfo of \(curve.rawValue).")
        }
        return try jwkThumbprint(raw, type: type)
    }

    private static func check(_ raw: [UInt8], _ type: KeyType) throws(WorkingKeyError) {
        let ofCurve = type.signingCurve?.publicKeyLength ?? type.agreementCurve?.publicKeyLength
        guard let length = type == .bls12381G2 ? 96 : ofCurve else {
            throw WorkingKeyError(.unsupportedOperation, "A key of type \(type.rawValue) has no public half.")
        }
        guard raw.count == length, ofCurve == nil || length == 32 || raw[0] == 0x04 else {
            throw WorkingKeyError(.invalidArgument, "A \(type.rawValue) public key must have \(length) bytes.")
        }
    }
}
