public import SecretMemory
import WorkingKeys

/// Opens the records of a dump with the server's key and the main keys of its keystores.
///
/// The original store does not say to which keystore a key belongs: the main key that opens it does.
public struct TrustBlocKeys: Sendable {
    private let server: SharedSecret
    private let keystores: [TrustBlocDump.Keystore]
    private var locks: [(keystore: Int, lock: StoredKeyset.Lock)] = []
    private let mainKeys: Set<String>
    /// Keystores whose main key does not open, with the reason.
    public private(set) var unopened: [(keystore: String, reason: String)] = []

    /// - Parameter serverKey: The key of the server's local lock, 32 bytes.
    public init(_ dump: TrustBlocDump, serverKey: SharedSecret) {
        server = serverKey
        keystores = dump.keystores
        mainKeys = Set(dump.keystores.map(\.mainKeyID))
        let records = Dictionary(dump.keys.map { ($0.id, $0.record) }) { first, _ in first }
        for (index, keystore) in dump.keystores.enumerated() {
            guard !keystore.mainKeyID.isEmpty else {
                unopened.append((keystore.id, "it is locked by shares, which are not in the dump"))
                continue
            }
            guard let record = records[keystore.mainKeyID] else {
                unopened.append((keystore.id, "its main key is not in the dump"))
                continue
            }
            do throws(TrustBlocError) {
                for key in try Self.mainKey(record, serverKey) { locks.append((index, .key(key))) }
            } catch {
                unopened.append((keystore.id, "its main key: \(error.message)"))
            }
        }
    }

    /// What a record is.
    public enum Found: Sendable {
        /// The server's own: a keystore's main key, which our keystores do not need, or another one of the server.
        case serversOwn
        case key(keystore: Int, TinkKeyset)
    }

    /// - Throws: ``TrustBlocError`` for a record that nothing opens or that is not understood.
    public func find(_ id: String, _ record: [UInt8]) throws(TrustBlocError) -> Found {
        if mainKeys.contains(id) { return .serversOwn }
        let stored = try StoredKeyset(json: record)
        do throws(TrustBlocError) {
            let (keyset, position) = try stored.open(with: locks.map(\.lock))
            return .key(keystore: locks[position].keystore, try TinkKeyset(reading: keyset))
        } catch let error where error.code == .locked {
            _ = try stored.open(with: [.local(server)])
            return .serversOwn
        }
    }

    /// Every enabled version of a main key, the newest first.
    private static func mainKey(
        _ record: [UInt8], _ server: SharedSecret
    ) throws(TrustBlocError) -> [SharedSecret] {
        let keyset = try TinkKeyset(reading: try StoredKeyset(json: record).open(with: [.local(server)]).keyset)
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
