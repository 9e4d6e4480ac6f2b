import Encodings

/// Where keystores and keys are kept. It stores rows and knows no secret.
///
/// Every write is one transaction: it is stored durably before the call returns, or not at all. Every method throws
/// ``KMSError`` with `.storageUnavailable` when the store cannot be read or written, `.overloaded` when too many writes
/// wait.
///
/// - Concurrency: any number of calls at once; nothing blocks the caller's thread.
public protocol KeystoreStore: Sendable {
    /// - Throws: `.alreadyExists`; `.quotaExceeded` if there are as many keystores as one of the limits says.
    func insertKeystore(_ record: KeystoreRecord, limits: KeystoreLimits) async throws
    func keystore(_ id: String) async throws -> KeystoreRecord?
    /// By id, after `after`; every controller's if `controller` is nil.
    func keystores(controller: String?, after: String?, limit: Int) async throws -> [KeystoreRecord]

    /// Replaces a keystore's vault record and authenticator if the stored authenticator is still `expected`; tells
    /// whether it was.
    func updateVault(_ record: KeystoreRecord, expecting expected: [UInt8]) async throws -> Bool

    /// Replaces a keystore's lock record and authenticator on the same condition.
    func updateLockRecord(_ record: KeystoreRecord, expecting expected: [UInt8]) async throws -> Bool

    /// - Throws: `.alreadyExists`, `.notFound` without the keystore; `.quotaExceeded` if it has `limit` keys.
    func insertKey(_ record: KeyRecord, limit: Int) async throws
    func key(keystore: String, id: String) async throws -> KeyRecord?
    /// By id, after `after`, without sealed bytes.
    func keys(keystore: String, after: String?, limit: Int) async throws -> [KeyRecord]

    /// Replaces a key's row, but not its versions, if the stored authenticator is still `expected`; tells whether it was.
    func updateKey(_ record: KeyRecord, expecting expected: [UInt8]) async throws -> Bool
    /// Removes a key and stores `record`, with its versions, in its place, on the same condition.
    ///
    /// - Throws: `.alreadyExists` if the new id is taken.
    func replaceKey(id: String, with record: KeyRecord, expecting expected: [UInt8]) async throws -> Bool
    /// Like ``updateKey(_:expecting:)``, and erases every version's sealed bytes from the files.
    func eraseKey(_ record: KeyRecord, expecting expected: [UInt8]) async throws -> Bool

    /// Keys whose destruction is due at `time` (milliseconds since 1970), ordered, after `after`, without versions.
    func overdueKeys(at time: Int64, after: KeyAddress?, limit: Int) async throws -> [KeyAddress]

    /// - Throws: `.quotaExceeded` if there are `limit` of them.
    func insertDIDKey(_ record: DIDKeyRecord, limit: Int) async throws
    func didKey(_ did: String) async throws -> DIDKeyRecord?

    /// Proves that the store can be read and written now, by writing.
    func probe() async throws
}

/// Names a key.
public struct KeyAddress: Hashable, Sendable {
    public let keystore: String
    public let key: String

    public init(keystore: String, key: String) {
        self.keystore = keystore
        self.key = key
    }

    /// Byte for byte.
    public static func == (left: KeyAddress, right: KeyAddress) -> Bool {
        left.key.isExactly(right.key) && left.keystore.isExactly(right.keystore)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(ExactText(keystore))
        hasher.combine(ExactText(key))
    }
}
