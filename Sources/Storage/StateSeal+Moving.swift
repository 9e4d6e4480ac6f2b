public import EnclaveLock
import Encodings
import GRDB

/// The key of a database's seal, if a token seals it. It may be replaced while the seal is not open: only who opens either form
/// has the key, and the seal fits no other.
public struct SealKeyMove: TokenSealedStore {
    public let kind = "database seals"
    private let seal: StateSeal
    private let source: String
    private let target: String

    /// - Parameters:
    ///   - source: The identity of the token's lock.
    ///   - target: That of the other token's.
    public init(_ seal: StateSeal, source: String, target: String) {
        self.seal = seal
        self.source = source
        self.target = target
    }

    public func page(after: String?) async throws -> (secrets: [TokenSealedSecret], end: String?) {
        let found = try await seal.pool.read { db in try StateSeal.Found(db) }
        guard after == nil, found.lockKind == LockKind.token.rawValue, found.lockIdentity.isExactly(source),
            let sealed = Hexadecimal.decode(found.sealedKey)
        else { return ([], nil) }
        let secret = TokenSealedSecret(
            name: seal.name, sealed: sealed, context: seal.identity.associatedData)
        return ([secret], seal.name)
    }

    public func put(_ form: [UInt8], insteadOf secret: TokenSealedSecret) async throws -> Bool {
        try await seal.pool.write { [target] db in
            try db.execute(
                sql: "UPDATE main.epoch SET lock_identity = ?, sealed_key = ? WHERE id = 1 AND sealed_key = ?",
                arguments: [target, Hexadecimal.encode(form), Hexadecimal.encode(secret.sealed)])
            return db.changesCount == 1
        }
    }
}
