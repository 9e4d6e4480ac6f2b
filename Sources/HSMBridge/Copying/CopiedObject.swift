import Encodings
import Token

/// What a copy knows of one token object: what it is, and the attributes that go along.
struct CopiedObject {
    let handle: ObjectHandle
    let objectClass: ObjectClass
    let keyType: KeyType?
    /// CKA_LABEL and CKA_ID as bytes: neither need be text, and both are compared as they are.
    let label: [UInt8]
    let id: [UInt8]
    /// Boolean attributes that the object tells.
    let flags: [AttributeType: Bool]
    /// Attributes with a value that tells something; empty ones are left out.
    let values: [AttributeType: [UInt8]]
    /// CKA_VALUE_LEN in bytes where it is told and is not 0: modules that have unwrapped a key often say 0.
    let valueLength: UInt?
    /// Attributes that the token answered with a failure.
    let unread: [AttributeType]

    var isSecret: Bool { objectClass == .secretKey || objectClass == .privateKey }

    var isKey: Bool { isSecret || objectClass == .publicKey }

    /// `type` of RFC 7512.
    var uriType: String? {
        switch objectClass {
        case .privateKey: "private"
        case .publicKey: "public"
        case .secretKey: "secret-key"
        case .certificate: "cert"
        case .data: "data"
        default: nil
        }
    }

    var className: String {
        switch objectClass {
        case .privateKey: "private-key"
        case .publicKey: "public-key"
        case .secretKey: "secret-key"
        case .certificate: "certificate"
        case .data: "data"
        default: "class-\(objectClass.rawValue)"
        }
    }

    /// The named curve that CKA_EC_PARAMS names; nil for another one, and for what is on no curve.
    var curve: EllipticCurve? { values[.ecParameters].flatMap(EllipticCurve.named) }

    /// What people call the key; nil for what is none.
    var kind: String? {
        guard isKey, let keyType else { return nil }
        switch keyType {
        case .rsa:
            let digits = values[.modulus]?.drop { $0 == 0 } ?? []
            return digits.isEmpty ? "RSA" : "RSA-\(digits.count * 8 - (digits.first?.leadingZeroBitCount ?? 0))"
        case .ec: return "EC \(curve?.name ?? "on a curve without a name here")"
        case .edwards, .montgomery: return curve?.name ?? "on an Edwards or Montgomery curve"
        case .aes: return valueLength.map { "AES-\($0 * 8)" } ?? "AES"
        case .genericSecret: return valueLength.map { "generic secret of \($0) bytes" } ?? "generic secret"
        default: return keyType.isMAC ? "HMAC" : "key type 0x\(String(keyType.rawValue, radix: 16))"
        }
    }

    func has(_ flag: AttributeType) -> Bool { flags[flag] == true }

    /// Reads an object.
    ///
    /// - Throws: What the module said if the object or the token is gone; an attribute that cannot be read is noted.
    static func read(_ handle: ObjectHandle, _ session: borrowing Session) throws(HSMError) -> CopiedObject {
        var reader = Reader(handle: handle)
        // One that does not tell its class stays where it is.
        let objectClass = ObjectClass(
            rawValue: try session.number(.objectClass, of: handle) ?? ObjectSnapshot.unknownClass)
        let isKey = [.secretKey, .privateKey, .publicKey].contains(objectClass)
        let keyType = isKey ? try session.number(.keyType, of: handle).map { KeyType(rawValue: $0) } : nil
        var flags: [AttributeType: Bool] = [:]
        for type in CarriedAttributes.flags(of: objectClass) {
            guard let value = try reader.read(type, session), value.count == 1 else { continue }
            flags[type] = value[0] != 0
        }
        var values: [AttributeType: [UInt8]] = [:]
        for type in CarriedAttributes.values(of: objectClass) {
            guard let value = try reader.read(type, session), !value.isEmpty else { continue }
            values[type] = value
        }
        var length: UInt?
        if objectClass == .secretKey, let told = try reader.number(.valueLength, session), told > 0 { length = told }
        return CopiedObject(
            handle: handle, objectClass: objectClass, keyType: keyType,
            label: try reader.read(.label, session) ?? [], id: try reader.read(.id, session) ?? [], flags: flags,
            values: values, valueLength: length, unread: reader.unread)
    }

    /// Reads attributes one by one, and notes those that the token fails to tell.
    private struct Reader {
        let handle: ObjectHandle
        var unread: [AttributeType] = []

        mutating func read(_ type: AttributeType, _ session: borrowing Session) throws(HSMError) -> [UInt8]? {
            do throws(HSMError) {
                return try session.attribute(type, of: handle)
            } catch {
                guard !error.isLostSession, error.returnValue?.recovery != .reResolve,
                    (try? session.number(.objectClass, of: handle)) != nil
                else { throw error }
                unread.append(type)
                return nil
            }
        }

        mutating func number(_ type: AttributeType, _ session: borrowing Session) throws(HSMError) -> UInt? {
            guard let value = try read(type, session), value.count == MemoryLayout<UInt>.size else { return nil }
            return value.withUnsafeBytes { $0.loadUnaligned(as: UInt.self) }
        }
    }
}

extension KeyType {
    /// CKK_EC_MONTGOMERY of PKCS #11 3.0.
    static let montgomery = Self(rawValue: 0x41)

    /// CKK_MD5_HMAC to CKK_SHA224_HMAC: secrets that only a MAC is made with.
    var isMAC: Bool { (0x27...0x2e).contains(rawValue) }
}

extension EllipticCurve {
    /// The curve that CKA_EC_PARAMS names: by its object identifier, or by a name as SoftHSM has it for Ed25519.
    static func named(_ parameters: [UInt8]) -> EllipticCurve? {
        let edwards = Array("edwards25519".utf8)
        if parameters == [0x13, UInt8(edwards.count)] + edwards { return .ed25519 }
        return [p256, p384, p521, secp256k1, ed25519].first { $0.parameters == parameters }
    }
}
