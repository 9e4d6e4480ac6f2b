import Encodings
import Foundation

/// The audit key's word that a message was signed under a policy, and which record of the chain says so. It can be checked
/// with nothing but the audit key's public half.
public struct Receipt: Sendable, Hashable {
    /// 1.
    public let version: UInt64
    /// SHA-256 of the key's policy in its canonical form; 32 bytes.
    public let policyHash: [UInt8]
    /// What the key was restricted to, sorted by bytes, each once.
    public let restrictions: [String]
    /// Whose key, such as `split:CLIENT:PUBLIC-KEY`.
    public let subject: String
    /// SHA-256 of what was signed; 32 bytes.
    public let messageHash: [UInt8]
    /// The record of the decision.
    public let record: AuditPosition
    /// Milliseconds since 1970.
    public let time: Int64
    /// SHA-256 of the audit key's SubjectPublicKeyInfo in hex.
    public let keyFingerprint: String
    /// r ‖ s, 64 bytes.
    public internal(set) var signature: [UInt8]

    static let mostRestrictions = 1024
    static let longestText = 4096
    /// Bytes of the JSON form.
    static let longestForm = 1 << 20

    /// - Throws: ``AuditError`` with `.invalidArgument`.
    init(
        policyHash: [UInt8], restrictions: [String], subject: String, messageHash: [UInt8], record: AuditPosition,
        time: Int64, keyFingerprint: String, signature: [UInt8] = []
    ) throws(AuditError) {
        let length = AuditRecord.hashLength
        guard policyHash.count == length, messageHash.count == length, record.hash.count == length, record.index > 0,
            Hexadecimal.decode(keyFingerprint)?.count == length
        else { throw AuditError(.invalidArgument, "A hash of a receipt has 32 bytes, and its record an index.") }
        guard restrictions.count <= Self.mostRestrictions,
            ([subject] + restrictions).allSatisfy({ $0.utf8.count <= Self.longestText })
        else {
            throw AuditError(
                .invalidArgument,
                "A receipt has at most \(Self.mostRestrictions) restrictions of \(Self.longestText) bytes.")
        }
        version = 1
        self.policyHash = policyHash
        self.restrictions = Set(restrictions).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        self.subject = subject
        self.messageHash = messageHash
        self.record = record
        self.time = time
        self.keyFingerprint = keyFingerprint
        self.signature = signature
    }

    /// What is signed.
    public var encoded: [UInt8] {
        var fields = RecordFields(.receipt)
        fields.append(version)
        fields.append(policyHash)
        fields.append(UInt64(restrictions.count))
        for restriction in restrictions { fields.append(restriction) }
        fields.append(subject)
        fields.append(messageHash)
        fields.append(record.index)
        fields.append(record.hash)
        fields.append(UInt64(bitPattern: time))
        fields.append(keyFingerprint)
        return fields.bytes
    }

    /// Whether the key is the one named and the signature is its.
    public func verifies(with key: AuditPublicKey) -> Bool {
        key.fingerprint == keyFingerprint && key.verifies(signature, of: encoded)
    }

    private struct Form: Codable {
        var version: UInt64
        var policy: String
        var restrictions: [String]
        var subject: String
        var message: String
        var index: UInt64
        var record: String
        var time: Int64
        var key: String
        var signature: String
    }

    /// The one JSON form: members sorted, no white space, printable ASCII only.
    public var json: String {
        PlainJSON.encode(
            Form(
                version: version, policy: Hexadecimal.encode(policyHash), restrictions: restrictions, subject: subject,
                message: Hexadecimal.encode(messageHash), index: record.index,
                record: Hexadecimal.encode(record.hash), time: time, key: keyFingerprint,
                signature: Hexadecimal.encode(signature)))
    }

    /// Reads ``json``; a newline at its end is ignored.
    ///
    /// - Throws: ``AuditError`` with `.invalidArgument` for anything but exactly what ``json`` gives.
    public init(json: [UInt8]) throws(AuditError) {
        let text = json.last == 0x0A ? Array(json.dropLast()) : json
        guard text.count <= Self.longestForm, let form = try? JSONDecoder().decode(Form.self, from: Data(text)),
            form.version == 1, let policy = Hexadecimal.decode(form.policy),
            let message = Hexadecimal.decode(form.message), let record = Hexadecimal.decode(form.record),
            let signature = Hexadecimal.decode(form.signature)
        else { throw Self.malformed }
        try self.init(
            policyHash: policy, restrictions: form.restrictions, subject: form.subject, messageHash: message,
            record: AuditPosition(index: form.index, hash: record), time: form.time, keyFingerprint: form.key,
            signature: signature)
        guard self.json.utf8.elementsEqual(text) else { throw Self.malformed }
    }

    private static let malformed = AuditError(
        .invalidArgument, "This is no receipt of version 1 in the form in which it was given out.")
}
