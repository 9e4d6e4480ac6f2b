import Keystores
import Synchronization

/// Counts the calls that reach a store, and can hold up the answer of a key's row.
final class CountingStore: KeystoreStore {
    private let store: any KeystoreStore
    private let calls = Mutex(0)
    private let reads = Mutex(0)
    private let gate: Gate?
    var count: Int { calls.withLock { $0 } }

    /// - Parameter gate: The first read of a key's row passes it after reading; later reads do not.
    init(_ store: any KeystoreStore, gate: Gate? = nil) {
        self.store = store
        self.gate = gate
    }

    private var counted: any KeystoreStore {
        calls.withLock { $0 += 1 }
        return store
    }

    func insertKeystore(_ record: KeystoreRecord, limits: KeystoreLimits) async throws {
        try await counted.insertKeystore(record, limits: limits)
    }
    func keystore(_ id: String) async throws -> KeystoreRecord? { try await counted.keystore(id) }
    func updateVault(_ record: KeystoreRecord, expecting expected: [UInt8]) async throws -> Bool {
        try await counted.updateVault(record, expecting: expected)
    }
    func updateLockRecord(_ record: KeystoreRecord, expecting expected: [UInt8]) async throws -> Bool {
        try await counted.updateLockRecord(record, expecting: expected)
    }
    func keystores(controller: String?, after: String?, limit: Int) async throws -> [KeystoreRecord] {
        try await counted.keystores(controller: controller, after: after, limit: limit)
    }
    func insertKey(_ record: KeyRecord, limit: Int) async throws {
        try await counted.insertKey(record, limit: limit)
    }
    func key(keystore: String, id: String) async throws -> KeyRecord? {
        let record = try await counted.key(keystore: keystore, id: id)
        let isFirst = reads.withLock { reads in
            reads += 1
            return reads == 1
        }
        if isFirst { await gate?.pass() }
        return record
    }
    func keys(keystore: String, after: String?, limit: Int) async throws -> [KeyRecord] {
        try await counted.keys(keystore: keystore, after: after, limit: limit)
    }
    func updateKey(_ record: KeyRecord, expecting expected: [UInt8]) async throws -> Bool {
        try await counted.updateKey(record, expecting: expected)
    }
    func replaceKey(id: String, with record: KeyRecord, expecting expected: [UInt8]) async throws -> Bool {
        try await counted.replaceKey(id: id, with: record, expecting: expected)
    }
    func eraseKey(_ record: KeyRecord, expecting expected: [UInt8]) async throws -> Bool {
        try await counted.eraseKey(record, expecting: expected)
    }
    func overdueKeys(at time: Int64, after: KeyAddress?, limit: Int) async throws -> [KeyAddress] {
        try await counted.overdueKeys(at: time, after: after, limit: limit)
    }
    func insertDIDKey(_ record: DIDKeyRecord, limit: Int) async throws {
        try await counted.insertDIDKey(record, limit: limit)
    }
    func didKey(_ did: String) async throws -> DIDKeyRecord? { try await counted.didKey(did) }
    func probe() async throws { try await counted.probe() }
}
