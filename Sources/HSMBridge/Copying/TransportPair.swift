import Token

/// An RSA pair of the target, for this copy alone: its public half is a session object on the source.
struct TransportPair {
    let targetPrivateKey: ObjectHandle
    let sourcePublicKey: ObjectHandle

    /// 128 bits of strength (SP 800-57 part 1, table 2).
    static let bits: UInt = 3072

    /// - Throws: What one of the tokens said; see ``HSMError/mayMeanRefusal``.
    static func make(_ source: CopySide, _ target: CopySide) throws(HSMError) -> TransportPair {
        let pair = try target.makePair(
            .rsaKeyPairGeneration,
            publicKey: [
                .flag(.private, false), .flag(.wrap, true), .flag(.encrypt, false), .flag(.verify, false),
                .number(.modulusBits, bits), .bytes(.publicExponent, [1, 0, 1]),
            ],
            privateKey: [
                .flag(.private, true), .flag(.sensitive, true), .flag(.extractable, false), .flag(.unwrap, true),
                .flag(.decrypt, false), .flag(.sign, false),
            ])
        defer { target.discard(pair.publicKey) }
        let numbers = try target.keep { session throws(HSMError) in
            (
                try session.attribute(.modulus, of: pair.publicKey),
                try session.attribute(.publicExponent, of: pair.publicKey)
            )
        }
        guard let modulus = numbers.0, let exponent = numbers.1, modulus.drop(while: { $0 == 0 }).count == Int(bits / 8)
        else {
            throw HSMError(.mechanismUnsupported, "The token does not tell the numbers of an RSA key.").at(.target)
        }
        let publicKey = try source.makeScratch([
            .objectClass(.publicKey), .keyType(.rsa), .flag(.private, false), .flag(.wrap, true),
            .flag(.encrypt, false), .flag(.verify, false), .bytes(.modulus, modulus), .bytes(.publicExponent, exponent),
        ]) { (session, template) throws(HSMError) in
            try session.create(template)
        }
        return TransportPair(targetPrivateKey: pair.privateKey, sourcePublicKey: publicKey)
    }
}

extension CopySide {
    /// Makes a pair whose halves must not stay.
    func makePair(
        _ mechanism: MechanismType, publicKey: KeyTemplate, privateKey: KeyTemplate
    ) throws(HSMError) -> (publicKey: ObjectHandle, privateKey: ObjectHandle) {
        var publicHandle = ObjectHandle()
        let privateHandle = try makeScratch(privateKey) { (session, template) throws(HSMError) in
            let pair = try session.generateKeyPair(
                mechanism,
                publicKey: publicKey + template.attributes.filter { [.token, .label, .id].contains($0.type) },
                privateKey: template)
            publicHandle = pair.publicKey
            return pair.privateKey
        }
        return (remember(publicHandle), privateHandle)
    }
}
