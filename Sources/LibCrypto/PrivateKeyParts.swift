/// The parts of a PKCS#8 structure, as views of the caller's buffer, valid while it is lent.
struct PrivateKeyParts {
    let curve: SigningCurve
    /// 1 to `curve.privateKeyLength` bytes.
    let privateKey: UnsafeRawBufferPointer
    /// Up to two: RFC 5915 and RFC 5958 each have a place.
    var publicKeys: [UnsafeRawBufferPointer] = []

    init(pkcs8 bytes: UnsafeRawBufferPointer) throws(LibCryptoError) {
        var file = DERReader(bytes)
        guard let body = file.read(DERTag.sequence) else { throw Self.malformed(Self.kind(ofFile: bytes)) }
        guard file.isAtEnd else { throw Self.malformed("bytes follow its end") }
        var reader = DERReader(body)
        if reader.isNext(DERTag.sequence) {
            throw LibCryptoError(.invalidInput, "The PKCS#8 key is encrypted; it must be sent decrypted.")
        }
        guard let version = reader.read(DERTag.integer), version.count == 1 else {
            throw Self.malformed("it does not start with a version")
        }
        if reader.isNext(DERTag.octetString) {
            throw LibCryptoError(
                .invalidInput,
                "The key is a SEC 1 EC private key without its PKCS#8 envelope; 'openssl pkcs8 -topk8 -nocrypt' makes one."
            )
        }
        guard version[0] <= 1 else { throw Self.malformed("its version is \(version[0]), not 0 or 1") }
        guard let algorithm = reader.read(DERTag.sequence) else { throw Self.malformed("it names no algorithm") }
        curve = try Self.curve(algorithm)
        guard let inner = reader.read(DERTag.octetString) else { throw Self.malformed("it holds no private key") }
        if curve == .ed25519 {
            privateKey = try Self.seed(inner)
        } else {
            let key = try Self.ecPrivateKey(inner, curve)
            privateKey = key.scalar
            if let point = key.point { publicKeys.append(point) }
        }
        if reader.isNext(DERTag.constructed(0)), reader.read(DERTag.constructed(0)) == nil {
            throw Self.malformed("its attributes are cut off")
        }
        try readPublicKey(&reader, version: version[0])
        guard reader.isAtEnd else { throw Self.malformed("it has members that PKCS#8 does not know") }
    }

    /// RFC 5958 §2: version 1 says that a public key follows, version 0 that none does. Some writers tag it explicitly
    /// instead of implicitly, which can be distinguished.
    private mutating func readPublicKey(_ reader: inout DERReader, version: UInt8) throws(LibCryptoError) {
        let isThere = reader.isNext(DERTag.primitive(1)) || reader.isNext(DERTag.constructed(1))
        guard isThere == (version == 1) else {
            throw Self.malformed(
                isThere
                    ? "its version says that no public key follows, but one does"
                    : "its version says that a public key follows, but none does")
        }
        guard isThere else { return }
        var bits = reader.read(DERTag.primitive(1))
        if let wrapper = reader.read(DERTag.constructed(1)) {
            var content = DERReader(wrapper)
            bits = content.read(DERTag.bitString)
            guard content.isAtEnd else { throw Self.malformed("its public key is not one bit string") }
        }
        guard let bits, bits.first == 0 else { throw Self.malformed("its public key is not a string of whole bytes") }
        publicKeys.append(UnsafeRawBufferPointer(rebasing: bits[1...]))
    }

    /// Whether an encoded public key is the given one: the same bytes, or on a Weierstrass curve the same point in the
    /// compressed (02, 03) or hybrid form (06, 07) of SEC 1 §2.3.3 and X9.62 §4.3.6.
    ///
    /// - Parameter publicKey: 32 bytes for Ed25519, else 0x04 ‖ X ‖ Y.
    static func denotes(_ encoded: UnsafeRawBufferPointer, _ publicKey: [UInt8]) -> Bool {
        if encoded.elementsEqual(publicKey) { return true }
        guard publicKey.count > 64, publicKey[0] == 0x04, let form = encoded.first, let last = publicKey.last else {
            return false
        }
        let isOdd = last & 1
        let coordinates = publicKey[1...]
        switch form {
        case 0x02 | isOdd: return encoded.dropFirst().elementsEqual(coordinates.prefix(coordinates.count / 2))
        case 0x06 | isOdd: return encoded.dropFirst().elementsEqual(coordinates)
        default: return false
        }
    }

    private static func curve(_ algorithm: UnsafeRawBufferPointer) throws(LibCryptoError) -> SigningCurve {
        var reader = DERReader(algorithm)
        guard let identifier = reader.read(DERTag.objectIdentifier) else { throw malformed("it names no algorithm") }
        if identifier.elementsEqual(SubjectPublicKeyInfo.ed25519) {
            guard reader.isAtEnd else { throw malformed("Ed25519 takes no parameters, not even NULL (RFC 8410 §3)") }
            return .ed25519
        }
        guard identifier.elementsEqual(SubjectPublicKeyInfo.ecPublicKey) else {
            throw LibCryptoError(
                .invalidInput, "The PKCS#8 key is not an EC or Ed25519 key: \(ObjectIdentifierName.text(identifier)).")
        }
        let name = try curveName(&reader)
        guard reader.isAtEnd else { throw malformed("bytes follow its curve's name") }
        return try named(name)
    }

    /// ECParameters (RFC 5480 §2.1.1), of which only the name of a curve is served.
    private static func curveName(_ reader: inout DERReader) throws(LibCryptoError) -> UnsafeRawBufferPointer {
        if let name = reader.read(DERTag.objectIdentifier) { return name }
        if reader.isNext(DERTag.sequence) {
            throw LibCryptoError(
                .invalidInput, "The PKCS#8 key spells out its curve's parameters; only named curves are accepted.")
        }
        if reader.isNext(DERTag.null) {
            throw LibCryptoError(
                .invalidInput, "The PKCS#8 key leaves its curve to be guessed (NULL); only named curves are accepted.")
        }
        throw malformed("it names no curve where RFC 5480 wants the name")
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
        guard let seed = reader.read(DERTag.octetString), reader.isAtEnd else {
            throw malformed("its Ed25519 key is not an octet string within the octet string (RFC 8410 §7)")
        }
        guard seed.count == 32 else { throw malformed("its Ed25519 key has \(seed.count) bytes, not 32") }
        return seed
    }

    /// ECPrivateKey (RFC 5915 §3); a curve named inside must be the outer one.
    static func ecPrivateKey(
        _ inner: UnsafeRawBufferPointer, _ curve: SigningCurve, in structure: String = "PKCS#8"
    ) throws(LibCryptoError) -> (scalar: UnsafeRawBufferPointer, point: UnsafeRawBufferPointer?) {
        func malformed(_ detail: String) -> LibCryptoError { Self.malformed(detail, structure) }
        var file = DERReader(inner)
        guard let body = file.read(DERTag.sequence), file.isAtEnd else {
            throw malformed("its EC key is not one sequence")
        }
        var reader = DERReader(body)
        guard let version = reader.read(DERTag.integer), version.count == 1, version[0] == 1 else {
            throw malformed("its EC key is not of version 1")
        }
        guard let scalar = reader.read(DERTag.octetString) else { throw malformed("its EC key holds no scalar") }
        guard (1...curve.privateKeyLength).contains(scalar.count) else {
            throw malformed("its scalar has \(scalar.count) bytes, not \(curve.privateKeyLength)")
        }
        if reader.isNext(DERTag.constructed(0)) {
            guard let parameters = reader.read(DERTag.constructed(0)) else { throw malformed("its EC key is cut off") }
            var name = DERReader(parameters)
            let inside = try named(try curveName(&name))
            guard name.isAtEnd else { throw malformed("bytes follow its curve's name") }
            guard inside == curve else {
                throw LibCryptoError(
                    .invalidInput, "The PKCS#8 key names two curves: \(curve.rawValue) and \(inside.rawValue).")
            }
        }
        var point: UnsafeRawBufferPointer?
        if reader.isNext(DERTag.constructed(1)) {
            guard let wrapper = reader.read(DERTag.constructed(1)) else { throw malformed("its EC key is cut off") }
            var content = DERReader(wrapper)
            guard let bits = content.read(DERTag.bitString), content.isAtEnd, bits.first == 0 else {
                throw malformed("its public key is not a string of whole bytes")
            }
            point = UnsafeRawBufferPointer(rebasing: bits[1...])
        }
        guard reader.isAtEnd else { throw malformed("its EC key has members that RFC 5915 does not know") }
        return (scalar, point)
    }

    /// What a file may be that does not start as DER of a sequence does.
    private static func kind(ofFile bytes: UnsafeRawBufferPointer) -> String {
        if bytes.starts(with: Array("-----BEGIN".utf8)) {
            return "it is PEM; send the bytes that its base64 stands for"
        }
        guard bytes.first == DERTag.sequence, bytes.count > 1 else { return "it does not start with a sequence" }
        return bytes[1] == 0x80
            ? "it is BER with an indefinite length" : "it is cut off, or its length is not written as DER does"
    }

    private static func malformed(_ detail: String, _ structure: String = "PKCS#8") -> LibCryptoError {
        LibCryptoError(.invalidInput, "The key is not a \(structure) private key in DER: \(detail).")
    }
}
