import Decryption
public import EnclaveLock
import Encodings
import Foundation
import GRDB

/// Keys of the decryption API whose lock keys a token seals.
public struct DecryptionKeyMove: TokenSealedStore {
    public let kind = "decryption keys"
    private let store: DecryptionStore
    private let source: String
    private let target: String

    /// - Parameters:
    ///   - source: The identity of the token's lock.
    ///   - target: That of the other token's.
    public init(store: DecryptionStore, source: String, target: String) {
        self.store = store
        self.source = source
        self.target = target
    }

    /// There are few: one page.
    public func page(after: String?) async throws -> (secrets: [TokenSealedSecret], end: String?) {
        guard after == nil else { return ([], nil) }
        let keys = try await store.keys().filter { key in
            key.lockKind == .token && key.lockIdentity.isExactly(source) && !key.sealedLockKey.isEmpty
        }.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
        let secrets = keys.map { key in
            TokenSealedSecret(
                name: key.id, sealed: key.sealedLockKey, context: key.lockKeyIdentity.associatedData)
        }
        return (secrets, keys.last?.id)
    }

    public func put(_ form: [UInt8], insteadOf secret: TokenSealedSecret) async throws -> Bool {
        try await store.write(lowers: false) { [target] db in
            try db.execute(
                sql: "UPDATE keys SET lock_identity = ?, sealed_lock_key = ? WHERE id = ? AND sealed_lock_key = ?",
                arguments: [target, Data(form), secret.name, Data(secret.sealed)])
            return db.changesCount == 1
        }
    }
}
