public import EnclaveLock
import Encodings

/// The daemon's own DID keys that a token seals.
public struct DIDKeyMove: TokenSealedStore {
    public let kind = "DID keys"
    private static let pageLength = 32

    private let store: SQLiteKeystoreStore
    private let source: String
    private let target: String

    /// - Parameters:
    ///   - source: The identity of the token's lock.
    ///   - target: That of the other token's.
    public init(store: SQLiteKeystoreStore, source: String, target: String) {
        self.store = store
        self.source = source
        self.target = target
    }

    public func page(after: String?) async throws -> (secrets: [TokenSealedSecret], end: String?) {
        let names = try await store.didKeys(madeBefore: .max, after: after ?? "", limit: Self.pageLength)
        var secrets: [TokenSealedSecret] = []
        for did in names {
            guard let record = try await store.didKey(did), record.lockKind == LockKind.token.rawValue,
                record.lockIdentity.isExactly(source)
            else { continue }
            secrets.append(
                TokenSealedSecret(
                    name: did, sealed: record.sealed,
                    context: KeystoreService.didIdentity(did).associatedData))
        }
        return (secrets, names.last)
    }

    public func put(_ form: [UInt8], insteadOf secret: TokenSealedSecret) async throws -> Bool {
        guard var record = try await store.didKey(secret.name) else { return false }
        record.lockIdentity = target
        record.sealed = form
        return try await store.reseal(record, expecting: secret.sealed)
    }
}
