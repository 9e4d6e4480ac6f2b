import Encodings

/// The audit key's word that the chain had a hash at an index.
public struct AuditCheckpoint: Sendable, Hashable {
    public var position: AuditPosition
    /// Milliseconds since 1970.
    public var time: Int64
    /// Serial number of the token that signed.
    public var token: String
    /// What the token's counter of kept heads stood at, or higher now; nil in checkpoints of version 1.
    public var counter: UInt64?
    /// SubjectPublicKeyInfo in DER. Believed only if its SHA-256 is the fingerprint that record 1 pins.
    public var publicKey: [UInt8]
    /// r ‖ s, 64 bytes.
    public var signature: [UInt8]

    init(
        position: AuditPosition, time: Int64, token: String, counter: UInt64? = nil, publicKey: [UInt8],
        signature: [UInt8]
    ) {
        self.position = position
        self.time = time
        self.token = token
        self.counter = counter
        self.publicKey = publicKey
        self.signature = signature
    }

    /// What is signed.
    public var encoded: [UInt8] {
        var fields = RecordFields(counter == nil ? .auditCheckpoint : .auditCheckpoint2)
        fields.append(position.index)
        fields.append(position.hash)
        fields.append(UInt64(bitPattern: time))
        fields.append(token)
        if let counter { fields.append(counter) }
        return fields.bytes
    }

    /// - Returns: nil unless `encoded` is what ``encoded`` gives.
    init?(encoded: [UInt8], publicKey: [UInt8], signature: [UInt8]) {
        var reader = FieldReader(encoded)
        let label = reader.text()
        let counts = label == Labels.auditCheckpoint2.rawValue
        guard counts || label == Labels.auditCheckpoint.rawValue, let index = reader.number(),
            let hash = reader.bytes(AuditRecord.hashLength), let time = reader.number(), let token = reader.text(),
            let counter = counts ? reader.number() : 0, reader.isAtEnd
        else { return nil }
        self.init(
            position: AuditPosition(index: index, hash: hash), time: Int64(bitPattern: time), token: token,
            counter: counts ? counter : nil, publicKey: publicKey, signature: signature)
    }

    /// Whether the key is the pinned one and the signature is its.
    func verifies(pinned: String) -> Bool {
        guard !pinned.isEmpty, let key = try? AuditPublicKey(subjectPublicKeyInfo: publicKey) else { return false }
        return key.fingerprint == pinned && key.verifies(signature, of: encoded)
    }
}
