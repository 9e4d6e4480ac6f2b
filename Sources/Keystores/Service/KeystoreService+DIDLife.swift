import Synchronization

/// The end of DID keys that nothing names: making one is open to whoever may make a keystore, so those that no keystore's
/// vault came to name must not stay permanently.
extension KeystoreService {
    /// Keys younger than this are never removed: a client is about to name them.
    private static let youngest = Duration.seconds(600)
    private static let page = 500

    /// Removes the daemon's DID keys that are older than ``KeystoreConfiguration/didKeyGrace`` and that no vault names.
    ///
    /// - Returns: How many.
    /// - Throws: ``KMSError``; also if a vault record cannot be read: then it is not known what it names.
    public func sweepDIDKeys() async throws -> Int {
        guard configuration.didKeyGrace > .zero else { return 0 }
        return try await sweepDIDKeys(olderThan: configuration.didKeyGrace)
    }

    private func sweepDIDKeys(olderThan age: Duration) async throws -> Int {
        guard let store = store as? any DIDKeyExpiring else { return 0 }
        return try await translated {
            let limit = now - max(age, min(Self.youngest, configuration.didKeyGrace)).components.seconds * 1000
            var (removed, after) = (0, "")
            // exact: texts of did:key that were made here
            var named: Set<String>?
            while true {
                let page = try await store.didKeys(madeBefore: limit, after: after, limit: Self.page)
                guard let last = page.last else { return removed }
                after = last
                let known = try await named == nil ? namedDIDs(store) : named ?? []
                named = known
                let unnamed = page.filter { !known.contains($0) }
                guard !unnamed.isEmpty else { continue }
                removed += try await store.removeDIDKeys(unnamed) { [didsInUse] did in didsInUse.contains(did) }
            }
        }
    }

    // exact: texts of did:key that were made here
    private func namedDIDs(_ store: any DIDKeyExpiring) async throws -> Set<String> {
        // exact: texts of did:key that were made here
        var (named, after): (Set<String>, String) = ([], "")
        while true {
            let page = try await store.vaultRecords(after: after, limit: Self.page)
            guard let last = page.last else { return named }
            after = last.keystore
            for record in page { named.insert(try VaultRecord(decoding: record.vault).invoker) }
        }
    }

    /// Inserts, and if there are too many, makes room once by removing those that are unnamed for ten minutes.
    func makingRoomForDID(_ insert: () async throws -> Void) async throws {
        do {
            try await insert()
        } catch let error as KMSError where error.code == .quotaExceeded {
            let isDue = lastDIDSweep.withLock { last in
                let now = ContinuousClock.now
                if let last, now - last < .seconds(60) { return false }
                last = now
                return true
            }
            guard isDue, configuration.didKeyGrace > .zero, try await sweepDIDKeys(olderThan: .zero) > 0 else {
                throw error
            }
            try await insert()
        }
    }
}

/// DIDs that a request of this process is about to name, or has named: they are not removed, although no row said so when
/// it was looked.
final class DIDsInUse: Sendable {
    // exact: texts of did:key that were made here
    private let dids = Mutex<Set<String>>([])

    /// Before it is looked whether the key is there.
    func insert(_ did: String) { dids.withLock { _ = $0.insert(did) } }

    /// For one that is not there.
    func remove(_ did: String) { dids.withLock { _ = $0.remove(did) } }

    func contains(_ did: String) -> Bool { dids.withLock { $0.contains(did) } }
}
