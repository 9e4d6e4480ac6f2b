import Token

/// Probes of signatures and point multiplication.
extension TokenProbe {
    mutating func signature(_ curve: EllipticCurve) throws(HSMError) -> Double? {
        let pair = try generatePair(
            curve, [.flag(.sign, true), .flag(.extractable, false)], publicUsage: [.flag(.verify, true)])
        try checkSignature(curve, pair.privateKey, pair.publicKey)
        let mechanism: MechanismType = curve.isEdwards ? .eddsa : .ecdsa
        let digest = [UInt8](repeating: 9, count: 32)
        let session = try reopen()
        return try Self.rate { () throws(HSMError) in
            _ = try session.sign(mechanism, key: pair.privateKey, digest, length: curve.signatureLength)
        }
    }

    borrowing func checkSignature(
        _ curve: EllipticCurve, _ privateKey: ObjectHandle, _ publicKey: ObjectHandle
    ) throws(HSMError) {
        let mechanism: MechanismType = curve.isEdwards ? .eddsa : .ecdsa
        let digest = [UInt8](repeating: 5, count: 32)
        let signature = try session.sign(mechanism, key: privateKey, digest, length: curve.signatureLength)
        guard try session.verify(mechanism, key: publicKey, digest, signature: signature) else {
            throw Self.wrong("\(curve.name) signatures do not verify.")
        }
        var other = digest
        other[0] ^= 1
        let fresh = try reopen()
        guard try !fresh.verify(mechanism, key: publicKey, other, signature: signature) else {
            throw Self.wrong("\(curve.name) verification accepts another message.")
        }
    }

    /// The result of a multiplication; it is the token's to give only for points that we chose.
    static let product: KeyTemplate = [
        .objectClass(.secretKey), .keyType(.genericSecret), .flag(.token, false), .flag(.private, true),
        .flag(.sensitive, false), .flag(.extractable, true),
    ]

    mutating func multiply(_ key: ObjectHandle, _ point: [UInt8]) throws(HSMError) -> [UInt8] {
        let object = try session.derive(key, point: point, Self.product)
        created.append(object)
        return try session.attribute(.value, of: object) ?? []
    }

    mutating func agreement() throws(HSMError) -> Double? {
        let usage: [Attribute] = [.flag(.derive, true), .flag(.extractable, false), .allowedMechanisms([.ecdh1Derive])]
        let first = try generatePair(.p256, usage, publicUsage: [])
        let second = try generatePair(.p256, usage, publicUsage: [])
        guard
            let firstPoint = EllipticCurve.p256.point(
                fromAttribute: try session.attribute(.ecPoint, of: first.publicKey) ?? []),
            let secondPoint = EllipticCurve.p256.point(
                fromAttribute: try session.attribute(.ecPoint, of: second.publicKey) ?? [])
        else { throw Self.wrong("A generated key pair shows no public point.") }
        let shared = try multiply(first.privateKey, secondPoint)
        guard shared.count == 32, try multiply(second.privateKey, firstPoint) == shared else {
            throw Self.wrong("The two sides of an ECDH agreement differ.")
        }
        return nil
    }

    mutating func explicitCurve() throws(HSMError) -> Double? {
        let template: KeyTemplate = [
            .objectClass(.privateKey), .keyType(.ec), .flag(.token, false), .flag(.private, true),
            .flag(.sensitive, true), .flag(.extractable, false), .flag(.derive, true),
            .allowedMechanisms([.ecdh1Derive]), .bytes(.ecParameters, EllipticCurve.bn254.parameters),
            .bytes(.value, ProbeVectors.bn254Scalar),
        ]
        let key = try make(template, isStrict: false) { (session, template) throws(HSMError) in
            try session.create(template)
        }
        guard try multiply(key, ProbeVectors.bn254Point) == ProbeVectors.bn254Product else {
            throw Self.wrong("A multiplication on an explicit curve gives a wrong point.")
        }
        return nil
    }
}
