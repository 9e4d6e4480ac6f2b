public import SecretMemory

/// Private keys as files and the import route carry them: OneAsymmetricKey, DER (RFC 5958), holding an Ed25519 key
/// (RFC 8410) or an EC key on a named curve (RFC 5915).
extension SigningKey {
    /// Reads a key and tells its curve by ``curve``.
    ///
    /// It is stricter than most readers: DER only, nothing behind the end, named curves only, and every public part must be
    /// the one that belongs to the private part. Attributes are skipped.
    ///
    /// - Throws: `.invalidInput` naming what was found instead; `.capacityExceeded` when the locked memory for keys is full.
    /// - Concurrency: any thread; the private bytes are copied between locked memory only.
    public static func importing(pkcs8: borrowing SecretBytes) throws(LibCryptoError) -> SigningKey {
        try pkcs8.withUnsafeBytes { bytes throws(LibCryptoError) in
            let parts = try PrivateKeyParts(pkcs8: bytes)
            let length = parts.curve.privateKeyLength
            let privateKey = try SecretBytes.filled(length) { output throws(LibCryptoError) in
                // Some writers drop leading zeros of a scalar; RFC 5915 pads them.
                UnsafeMutableRawBufferPointer(rebasing: output[(length - parts.privateKey.count)...])
                    .copyMemory(from: parts.privateKey)
            }
            let key = try SigningKey(curve: parts.curve, privateKey: privateKey)
            for publicKey in parts.publicKeys where !publicKey.elementsEqual(key.publicKey) {
                throw LibCryptoError(
                    .invalidInput, "The public part of the PKCS#8 key does not belong to its private part.")
            }
            return key
        }
    }
}

/// The parts of a PKCS#8 structure, as views of the caller's buffer, valid while it is lent.
struct PrivateKeyParts {
    let curve: SigningCurve
    /// 1 to `curve.privateKeyLength` bytes.
    let privateKey: UnsafeRawBufferPointer
    /// Up to two: RFC 5915 and RFC 5958 each have a place.
    var publicKeys: [UnsafeRawBufferPointer] = []

    init(pkcs8 bytes: UnsafeRawBufferPointer) throws(LibCryptoError) {
        var file = DERReader(bytes)
        guard let body = file.read(DERTag.sequence), file.isAtEnd else { throw Self.malformed }
        var reader = DERReader(body)
        guard let version = reader.read(DERTag.integer), version.count == 1, version[0] <= 1,
            let algorithm = reader.read(DERTag.sequence),
            let inner = reader.read(DERTag.octetString)
        else { throw Self.malformed }
        curve = try Self.curve(algorithm)
        if curve == .ed25519 {
            privateKey = try Self.seed(inner)
        } else {
            let key = try Self.ecPrivateKey(inner, curve)
            privateKey = key.scalar
            if let point = key.point { publicKeys.append(point) }
        }
        if reader.isNext(DERTag.constructed(0)), reader.read(DERTag.constructed(0)) == nil { throw Self.malformed }
        // RFC 5958 §2: version 1 says that a public key follows, version 0 that none does.
        if version[0] == 1 {
            guard let bits = reader.read(DERTag.primitive(1)), bits.first == 0 else { throw Self.malformed }
            publicKeys.append(UnsafeRawBufferPointer(rebasing: bits[1...]))
        }
        guard reader.isAtEnd else { throw Self.malformed }
    }

    private static func curve(_ algorithm: UnsafeRawBufferPointer) throws(LibCryptoError) -> SigningCurve {
        var reader = DERReader(algorithm)
        guard let identifier = reader.read(DERTag.objectIdentifier) else { throw malformed }
        if identifier.elementsEqual(SubjectPublicKeyInfo.ed25519) {
            guard reader.isAtEnd else { throw malformed }
            return .ed25519
        }
        guard identifier.elementsEqual(SubjectPublicKeyInfo.ecPublicKey) else {
            throw LibCryptoError(
                .invalidInput, "The PKCS#8 key is not an EC or Ed25519 key: \(ObjectIdentifierName.text(identifier)).")
        }
        if reader.isNext(DERTag.sequence) {
            throw LibCryptoError(
                .invalidInput, "The PKCS#8 key spells out its curve's parameters; only named curves are accepted.")
        }
        guard let name = reader.read(DERTag.objectIdentifier), reader.isAtEnd else { throw malformed }
        return try named(name)
    }

    private static func named(_ identifier: UnsafeRawBufferPointer) throws(LibCryptoError) -> SigningCurve {
        for curve in SigningCurve.allCases {
            if let group = curve.group, identifier.elementsEqual(group.identifier) { return curve }
        }
        throw LibCryptoError(
            .invalidInput, "The PKCS#8 key is on a curve that is not served: \(ObjectIdentifierName.text(identifier)).")
    }

    /// CurvePrivateKey: an OCTET STRING within the OCTET STRING (RFC 8410 §7).
    private static func seed(_ inner: UnsafeRawBufferPointer) throws(LibCryptoError) -> UnsafeRawBufferPointer {
        var reader = DERReader(inner)
        guard let seed = reader.read(DERTag.octetString), reader.isAtEnd, seed.count == 32 else { throw malformed }
        return seed
    }

    /// ECPrivateKey (RFC 5915 §3); a curve named inside must be the outer one.
    static func ecPrivateKey(
        _ inner: UnsafeRawBufferPointer, _ curve: SigningCurve
    ) throws(LibCryptoError) -> (scalar: UnsafeRawBufferPointer, point: UnsafeRawBufferPointer?) {
        var file = DERReader(inner)
        guard let body = file.read(DERTag.sequence), file.isAtEnd else { throw malformed }
        var reader = DERReader(body)
        guard let version = reader.read(DERTag.integer), version.count == 1, version[0] == 1,
            let scalar = reader.read(DERTag.octetString), (1...curve.privateKeyLength).contains(scalar.count)
        else { throw malformed }
        if reader.isNext(DERTag.constructed(0)) {
            guard let parameters = reader.read(DERTag.constructed(0)) else { throw malformed }
            var name = DERReader(parameters)
            guard let identifier = name.read(DERTag.objectIdentifier), name.isAtEnd else { throw malformed }
            let inside = try named(identifier)
            guard inside == curve else {
                throw LibCryptoError(
                    .invalidInput, "The PKCS#8 key names two curves: \(curve.rawValue) and \(inside.rawValue).")
            }
        }
        var point: UnsafeRawBufferPointer?
        if reader.isNext(DERTag.constructed(1)) {
            guard let wrapper = reader.read(DERTag.constructed(1)) else { throw malformed }
            var content = DERReader(wrapper)
            guard let bits = content.read(DERTag.bitString), content.isAtEnd, bits.first == 0 else { throw malformed }
            point = UnsafeRawBufferPointer(rebasing: bits[1...])
        }
        guard reader.isAtEnd else { throw malformed }
        return (scalar, point)
    }

    private static var malformed: LibCryptoError {
        LibCryptoError(.invalidInput, "The key is not a PKCS#8 private key in DER.")
    }
}
