import Encodings
import SecretMemory
import WorkingKeys

/// Opens the records of a dump with the server's lock, the main keys of its keystores, and shares.
///
/// TrustBloc's store does not say to which keystore a key belongs: the lock that opens it does.
public struct TrustBlocKeys: Sendable {
    let server: TrustBlocLocks.Server?
    private var locks: [(keystore: Int, lock: StoredKeyset.Lock)] = []
    private let mainKeys: Set<ExactText>
    /// Keystores that nothing given opens, with the reason.
    public private(set) var unopened: [(keystore: String, reason: String)] = []
    /// Positions of the keystores that are locked by shares: whether the shares are right shows when a key opens.
    public private(set) var sharing: Set<Int> = []

    /// Opens the main keys.
    ///
    /// - Parameter step: Called after each keystore.
    /// - Throws: What a remote lock throws.
    public static func opening(
        _ dump: TrustBlocDump, with locks: TrustBlocLocks, step: () -> Void = {}
    ) async throws -> TrustBlocKeys {
        var keys = TrustBlocKeys(server: locks.server, mainKeys: Set(dump.keystores.map { ExactText($0.mainKeyID) }))
        let records = Dictionary(dump.keys.map { (ExactText($0.id), $0.record) }) { first, _ in first }
        for (index, keystore) in dump.keystores.enumerated() {
            do {
                try await keys.open(keystore, index, records[ExactText(keystore.mainKeyID)], locks)
            } catch let error as TrustBlocError {
                keys.unopened.append((keystore.id, "its main key: \(error.message)"))
            }
            step()
        }
        return keys
    }

    private init(server: TrustBlocLocks.Server?, mainKeys: Set<ExactText>) {
        self.server = server
        self.mainKeys = mainKeys
    }

    private mutating func open(
        _ keystore: TrustBlocDump.Keystore, _ index: Int, _ record: [UInt8]?, _ given: TrustBlocLocks
    ) async throws {
        guard !keystore.mainKeyID.isEmpty else {
            guard let key = given.shares[ExactText(keystore.id)] else {
                unopened.append((keystore.id, "it is locked by shares, which are neither in the dump nor given"))
                return
            }
            sharing.insert(index)
            locks.append((index, .shares(key)))
            return
        }
        guard let record else {
            unopened.append((keystore.id, "its main key is not in the dump"))
            return
        }
        for key in try await Self.mainKey(record, server) { locks.append((index, .key(key))) }
    }

    /// What a record is.
    public enum Found: Sendable {
        /// The server's own: a keystore's main key, which our keystores do not need, or another one of the server.
        case serversOwn
        case key(keystore: Int, TinkKeyset)
    }

    /// - Throws: ``TrustBlocError`` for a record that nothing opens or that is not understood; what a remote lock throws.
    public func find(_ id: String, _ record: [UInt8]) async throws -> Found {
        if mainKeys.contains(ExactText(id)) { return .serversOwn }
        let stored = try StoredKeyset(json: record)
        if let (keyset, position) = try opened(stored) {
            return .key(keystore: locks[position].keystore, try TinkKeyset(reading: keyset))
        }
        _ = try await stored.open(with: server)
        return .serversOwn
    }

    /// Nil if no keystore's lock fits.
    private func opened(_ stored: StoredKeyset) throws(TrustBlocError) -> (SharedSecret, Int)? {
        do throws(TrustBlocError) {
            return try stored.open(with: locks.map(\.lock))
        } catch {
            guard error.code == .locked else { throw error }
            return nil
        }
    }

    /// Every enabled version of a main key, the newest first.
    private static func mainKey(
        _ record: [UInt8], _ server: TrustBlocLocks.Server?
    ) async throws -> [SharedSecret] {
        let keyset = try TinkKeyset(reading: try await StoredKeyset(json: record).open(with: server))
        guard keyset.type == .aes256GCM || keyset.type == .aes256GCMNoPrefix else {
            throw TrustBlocError(.unsupported, "it is no AES-256-GCM key")
        }
        var keys: [SharedSecret] = []
        for version in keyset.versions.reversed() {
            guard let secret = try? version.symmetricKey() else {
                throw TrustBlocError(.internalFailure, "no locked memory is left")
            }
            keys.append(secret)
        }
        return keys
    }
}

extension KeyMaterial {
    /// The secret of serialized key material begins after its header of 11 bytes; a symmetric one is the key.
    fileprivate func symmetricKey() throws -> SharedSecret {
        let serialized = try serialized()
        return SharedSecret(
            try serialized.withUnsafeBytes {
                try SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0[($0.count - 32)...]))
            })
    }
}
