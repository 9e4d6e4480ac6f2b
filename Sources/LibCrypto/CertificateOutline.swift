/// What kind of key and signature an X.509 certificate has, for messages: the TLS library does not name what
/// it cannot use.
public struct CertificateOutline: Sendable, Equatable {
    /// A kind of public key, by its usual name; with its dotted identifier where TLS here cannot use it.
    public var key: String
    /// Of RSA keys.
    public var bits: Int?
    /// Of the authority's signature over it: "SHA-1", "MD5" or nil for any other.
    public var weakDigest: String?
    /// Whether issuer and subject are the same.
    public var isSelfIssued: Bool
    /// Whether a server may show it: it says no purposes, or a server's among them.
    public var isForServers: Bool

    /// Kinds that the TLS library signs and verifies with.
    public var isUsable: Bool {
        ["RSA", "P-256", "P-384", "P-521", "Ed25519"].contains(where: { key.utf8.elementsEqual($0.utf8) })
    }

    /// Nil for what is no certificate.
    public init?(der: [UInt8]) {
        guard let outline = der.withUnsafeBytes({ Self.read($0) }) else { return nil }
        self = outline
    }

    private init(key: String, bits: Int?, weakDigest: String?, isSelfIssued: Bool, isForServers: Bool) {
        self.key = key
        self.bits = bits
        self.weakDigest = weakDigest
        self.isSelfIssued = isSelfIssued
        self.isForServers = isForServers
    }

    /// RFC 5280, section 4.1.
    private static func read(_ bytes: UnsafeRawBufferPointer) -> CertificateOutline? {
        var file = DERReader(bytes)
        guard let body = file.read(DERTag.sequence) else { return nil }
        var outer = DERReader(body)
        guard let signed = outer.read(DERTag.sequence) else { return nil }
        var reader = DERReader(signed)
        _ = reader.read(DERTag.constructed(0))
        guard reader.read(DERTag.integer) != nil, let signature = reader.read(DERTag.sequence),
            let issuer = reader.read(DERTag.sequence), reader.read(DERTag.sequence) != nil,
            let subject = reader.read(DERTag.sequence), let info = reader.read(DERTag.sequence)
        else { return nil }
        var key = DERReader(info)
        guard let algorithm = key.read(DERTag.sequence), let bits = key.read(DERTag.bitString) else { return nil }
        let name = KeyKind.name(algorithm)
        // Identifiers of issuer and subject, which nobody writes any more.
        for number: UInt8 in [1, 2] { _ = reader.read(DERTag.primitive(number)) }
        let isForServers = reader.read(DERTag.constructed(3)).map(allowsServers) ?? true
        return CertificateOutline(
            key: name,
            bits: name == "RSA" ? KeyKind.modulusBits(UnsafeRawBufferPointer(rebasing: bits.dropFirst())) : nil,
            weakDigest: weakDigest(signature), isSelfIssued: issuer.elementsEqual(subject), isForServers: isForServers)
    }

    /// RFC 5280, section 4.2.1.12. What cannot be read is for clients to refuse.
    private static func allowsServers(_ extensions: UnsafeRawBufferPointer) -> Bool {
        var wrapped = DERReader(extensions)
        guard let list = wrapped.read(DERTag.sequence) else { return true }
        var entries = DERReader(list)
        while let entry = entries.read(DERTag.sequence) {
            var members = DERReader(entry)
            guard let name = members.read(DERTag.objectIdentifier) else { return true }
            guard ObjectIdentifierName.dotted(name).utf8.elementsEqual("2.5.29.37".utf8) else { continue }
            _ = members.read(DERTag.boolean)
            guard let value = members.read(DERTag.octetString) else { return true }
            var content = DERReader(value)
            guard let purposes = content.read(DERTag.sequence) else { return true }
            return names(purposes)
        }
        return true
    }

    /// Whether serverAuth or anyExtendedKeyUsage is among the purposes.
    private static func names(_ purposes: UnsafeRawBufferPointer) -> Bool {
        var reader = DERReader(purposes)
        while let purpose = reader.read(DERTag.objectIdentifier) {
            switch ObjectIdentifierName.dotted(purpose) {
            case "1.3.6.1.5.5.7.3.1", "2.5.29.37.0": return true
            default: continue
            }
        }
        return false
    }

    private static func weakDigest(_ algorithm: UnsafeRawBufferPointer) -> String? {
        var reader = DERReader(algorithm)
        guard let identifier = reader.read(DERTag.objectIdentifier) else { return nil }
        switch ObjectIdentifierName.dotted(identifier) {
        case "1.2.840.113549.1.1.5", "1.2.840.10045.4.1", "1.2.840.10040.4.3", "1.3.14.3.2.29": return "SHA-1"
        case "1.2.840.113549.1.1.4", "1.2.840.113549.1.1.2": return "MD5"
        default: return nil
        }
    }
}

/// The kind of a private key in a file, for messages.
public enum PrivateKeyOutline {
    /// - Parameter label: Of the PEM block that held it.
    /// - Returns: The kind's usual name, with bits for RSA; nil for what is no such structure.
    public static func kind(_ bytes: UnsafeRawBufferPointer, label: String) -> String? {
        var file = DERReader(bytes)
        guard let body = file.read(DERTag.sequence) else { return nil }
        var reader = DERReader(body)
        guard reader.read(DERTag.integer) != nil else { return nil }
        if label.utf8.elementsEqual("PRIVATE KEY".utf8) {
            guard let algorithm = reader.read(DERTag.sequence) else { return nil }
            return KeyKind.name(algorithm)
        }
        if label.utf8.elementsEqual("EC PRIVATE KEY".utf8) {
            guard reader.read(DERTag.octetString) != nil else { return nil }
            guard let parameters = reader.read(DERTag.constructed(0)) else { return "EC" }
            return KeyKind.curve(parameters)
        }
        if label.utf8.elementsEqual("RSA PRIVATE KEY".utf8) { return "RSA" }
        return label.utf8.elementsEqual("DSA PRIVATE KEY".utf8) ? "DSA" : nil
    }
}

enum KeyKind {
    /// - Parameter algorithm: The content of an AlgorithmIdentifier.
    static func name(_ algorithm: UnsafeRawBufferPointer) -> String {
        var reader = DERReader(algorithm)
        guard let identifier = reader.read(DERTag.objectIdentifier) else { return "an unreadable kind" }
        switch ObjectIdentifierName.dotted(identifier) {
        case "1.2.840.113549.1.1.1": return "RSA"
        case "1.3.101.112": return "Ed25519"
        case "1.2.840.10045.2.1": return curve(reader.rest)
        default: return ObjectIdentifierName.text(identifier)
        }
    }

    static func curve(_ parameters: UnsafeRawBufferPointer) -> String {
        var reader = DERReader(parameters)
        guard let identifier = reader.read(DERTag.objectIdentifier) else { return "EC with explicit parameters" }
        switch ObjectIdentifierName.dotted(identifier) {
        case "1.2.840.10045.3.1.7": return "P-256"
        case "1.3.132.0.34": return "P-384"
        case "1.3.132.0.35": return "P-521"
        case "1.3.132.0.10": return "secp256k1 (1.3.132.0.10)"
        default: return ObjectIdentifierName.text(identifier)
        }
    }

    /// Of an RSAPublicKey (RFC 8017, appendix A.1.1).
    static func modulusBits(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var reader = DERReader(bytes)
        guard let body = reader.read(DERTag.sequence) else { return nil }
        var members = DERReader(body)
        guard let modulus = members.read(DERTag.integer) else { return nil }
        let digits = modulus.drop { $0 == 0 }
        return digits.first.map { digits.count * 8 - $0.leadingZeroBitCount }
    }
}
