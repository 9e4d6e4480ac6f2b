import LibCrypto
import Token

extension UseProof.PublicHalf {
    /// The public half of a private key on the source: of the key itself where it tells it, else of the public key with its
    /// CKA_ID. That it is the right one is shown by the source's own signature or agreement, in ``UseProof``.
    static func find(
        _ key: CopiedObject, among objects: ObjectIndex, _ source: CopySide
    ) throws(HSMError) -> UseProof.PublicHalf? {
        guard key.objectClass == .privateKey else { return nil }
        let publicKey = objects.publicKeys(id: key.id).first { $0.keyType == key.keyType }
        do throws(LibCryptoError) {
            switch key.keyType {
            case .rsa:
                let modulus = key.values[.modulus] ?? publicKey?.values[.modulus]
                let exponent = key.values[.publicExponent] ?? publicKey?.values[.publicExponent]
                guard let modulus, let exponent else { return nil }
                return .rsa(try RSAVerificationKey(modulus: modulus, exponent: exponent))
            case .ec, .edwards:
                guard let curve = key.curve ?? publicKey?.curve else { return nil }
                let told = publicKey?.values[.ecPoint].flatMap(curve.point(fromAttribute:))
                guard let point = told ?? own(key, curve, source) else { return nil }
                return .curve(curve, point: point)
            default: return nil
            }
        } catch {
            // Numbers that no key of this program has, such as a modulus of 1024 bits.
            return nil
        }
    }

    /// The point that some private keys tell.
    private static func own(
        _ key: CopiedObject, _ curve: EllipticCurve, _ source: CopySide
    ) -> [UInt8]? {
        for type in [AttributeType.ecPoint, .nssPublicPoint] {
            let told = try? source.keep { session throws(HSMError) in try session.attribute(type, of: key.handle) }
            if let value = told ?? nil, let point = curve.point(fromAttribute: value) { return point }
        }
        return nil
    }
}
