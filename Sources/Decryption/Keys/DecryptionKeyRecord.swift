public import EnclaveLock
public import Encodings
public import TFHE

/// A TFHE key as stored: its bits sealed, everything else in the clear and part of what is sealed.
public struct DecryptionKeyRecord: Sendable, Hashable {
    public enum State: String, Sendable, Codable {
        case enabled
        case disabled
        /// Its bits are gone.
        case destroyed
    }

    /// 1 to 64 ASCII letters and digits.
    public var id: String
    public var parameters: KeyParameters
    public var state: State
    /// SHA-256 of the packed bits.
    public var fingerprint: [UInt8]
    /// Which lock sealed the key's own lock key.
    public var lockKind: LockKind
    public var lockIdentity: String
    /// Empty once destroyed.
    public var sealedLockKey: [UInt8]
    /// The packed bits; empty once destroyed.
    public var envelope: [UInt8]
    /// Unix seconds.
    public var createdAt: Int64

    public init(
        id: String, parameters: KeyParameters, state: State, fingerprint: [UInt8], lockKind: LockKind,
        lockIdentity: String, sealedLockKey: [UInt8], envelope: [UInt8], createdAt: Int64
    ) {
        self.id = id
        self.parameters = parameters
        self.state = state
        self.fingerprint = fingerprint
        self.lockKind = lockKind
        self.lockIdentity = lockIdentity
        self.sealedLockKey = sealedLockKey
        self.envelope = envelope
        self.createdAt = createdAt
    }

    /// Letters and digits only, so that no name is a path or a pattern anywhere.
    public static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
            }
    }

    /// What the bits open with: other parameters, or another name, and they do not.
    var identity: RecordIdentity {
        let shape =
            "tfhe-client-key message=\(parameters.messageModulus) carry=\(parameters.carryModulus) "
            + "order=\(parameters.order.rawValue) length=\(parameters.length)"
        return RecordIdentity(tenant: "", keystore: "decryption", key: id, type: shape, version: 1)
    }

    /// What the key's lock key opens with.
    public var lockKeyIdentity: RecordIdentity {
        RecordIdentity(tenant: "", keystore: "decryption", key: id, type: "tfhe-lock-key", version: 1)
    }
}

/// Where keys are stored.
public protocol DecryptionKeyStoring: Sendable {
    func keys() async throws(DecryptionError) -> [DecryptionKeyRecord]
    /// Names are compared as bytes.
    func key(_ id: String) async throws(DecryptionError) -> DecryptionKeyRecord?
    /// - Throws: `alreadyExists` for a name that is taken, by a destroyed key too.
    func insert(_ record: DecryptionKeyRecord) async throws(DecryptionError)
    /// Writes the state; a destroyed key's sealed bits are erased with it.
    func set(_ state: DecryptionKeyRecord.State, of id: String) async throws(DecryptionError)
}
