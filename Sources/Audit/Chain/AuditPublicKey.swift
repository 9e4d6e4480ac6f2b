import Encodings
public import LibCrypto

/// The public half of the audit key, and how it is told and checked.
public struct AuditPublicKey: Sendable {
    public let key: VerificationKey

    /// SubjectPublicKeyInfo in DER of a P-256 key.
    ///
    /// - Throws: ``AuditError`` with `.invalidArgument` for anything else.
    public init(subjectPublicKeyInfo der: [UInt8]) throws(AuditError) {
        // The one DER form of a P-256 key differs in its last 65 bytes only (RFC 5480).
        guard der.count > SigningCurve.p256.publicKeyLength,
            let key = try? VerificationKey(
                curve: .p256, publicKey: Array(der.suffix(SigningCurve.p256.publicKeyLength))),
            key.subjectPublicKeyInfo == der
        else { throw AuditError(.invalidArgument, "The public key is no P-256 key in the form of RFC 5480.") }
        self.key = key
    }

    /// PEM (RFC 7468), as `kmsd audit key` prints it.
    ///
    /// - Throws: ``AuditError`` with `.invalidArgument`.
    public init(pem: String) throws(AuditError) {
        let lines = pem.split(whereSeparator: \.isNewline).map { $0.trimmingPrefix(while: \.isWhitespace) }
        guard let begin = lines.firstIndex(of: Substring(Self.begin)),
            let end = lines[begin...].firstIndex(of: Substring(Self.end)),
            let der = Base64.decode(lines[(begin + 1)..<end].joined())
        else { throw AuditError(.invalidArgument, "The file holds no '\(Self.begin)' with its end.") }
        try self.init(subjectPublicKeyInfo: der)
    }

    public var subjectPublicKeyInfo: [UInt8] { key.subjectPublicKeyInfo }

    /// PEM (RFC 7468), with a newline at its end.
    public var pem: String {
        var text = Self.begin + "\n"
        var rest = Base64.encode(subjectPublicKeyInfo)[...]
        while !rest.isEmpty {
            text += rest.prefix(64) + "\n"
            rest = rest.dropFirst(64)
        }
        return text + Self.end + "\n"
    }

    /// SHA-256 of the SubjectPublicKeyInfo in hex.
    public var fingerprint: String { Self.fingerprint(subjectPublicKeyInfo) }

    static func fingerprint(_ der: [UInt8]) -> String { Hexadecimal.encode((try? Digest.sha256(der)) ?? []) }

    /// Whether `signature` (r ‖ s) is this key's over `message`.
    public func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        (try? key.verify(signature, message: message, encoding: .p1363)) ?? false
    }

    private static let begin = "-----BEGIN PUBLIC KEY-----"
    private static let end = "-----END PUBLIC KEY-----"
}
