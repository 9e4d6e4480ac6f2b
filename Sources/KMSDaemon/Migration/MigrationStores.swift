import DecryptionStore
import EnclaveLock
import Encodings
import Foundation
import KMSConfiguration
import Keystores
import SecretMemory
import SplitKeys
import Storage
import Token

/// Everything of a home that its token seals, in the order in which it moves.
struct MigrationStores {
    /// Replaced while the source still signs the record of decisions.
    var rows: [any TokenSealedStore] = []
    /// What opens the databases themselves: replaced last, when the chain is the target's.
    var keys: [any TokenSealedStore] = []
    private var closers: [() throws -> Void] = []

    var all: [any TokenSealedStore] { rows + keys }

    /// Opens the files that are there.
    ///
    /// - Parameters:
    ///   - source: The identity of the source's lock.
    ///   - target: That of the target's.
    ///   - store: The keystores' database, which is open already; nil to open it here.
    ///   - proving: Proves a file's seal; nil where nothing but the keys of seals is touched.
    init(
        _ settings: Configuration, source: String, target: String, store: SQLiteKeystoreStore?,
        proving: ((StateSeal) async throws -> Void)?
    ) async throws {
        let home = settings.home
        var seals: [StateSeal] = []
        if FilePresence.exists(settings.databasePath) || store != nil {
            let opened = try store ?? SQLiteKeystoreStore(path: settings.databasePath)
            if store == nil { closers.append { try opened.close() } }
            rows += [
                KeystoreLockMove(store: opened, source: source, target: target),
                DIDKeyMove(store: opened, source: source, target: target),
            ]
            seals.append(opened.seal)
        }
        let decryption = Application.decryptionPath(home: home)
        if FilePresence.exists(decryption) {
            let opened = try DecryptionStore(path: decryption)
            closers.append { try opened.close() }
            try await proving?(opened.seal)
            rows.append(DecryptionKeyMove(store: opened, source: source, target: target))
            seals.append(opened.seal)
        }
        for (path, open) in [
            (Application.vaultPath(home: home), SplitKeyMoves.vault(path:)),
            (Application.sharesPath(home: home), SplitKeyMoves.authority(path:)),
        ] where FilePresence.exists(path) {
            let moves = try open(path)
            closers.append { try moves.seal.close() }
            try await proving?(moves.seal)
            rows += moves.stores
            seals.append(moves.seal)
        }
        keys = seals.map { SealKeyMove($0, source: source, target: target) }
        keys.append(LockSlotMove(file: SlotFile(home: home), source: source, target: target))
    }

    func close() throws { for close in closers { try close() } }
}

/// The home's lock slot that a token opens.
struct LockSlotMove: TokenSealedStore {
    let kind = "lock slots"
    let file: SlotFile
    let source: String
    let target: String

    func page(after: String?) async throws -> (secrets: [TokenSealedSecret], end: String?) {
        guard after == nil, let record = try file.read(), let slot = Self.slot(of: source, record) else {
            return ([], nil)
        }
        let name = "slot \(slot.id)"
        let secret = TokenSealedSecret(
            name: name, sealed: [UInt8](slot.sealed),
            context: try record.identity(slot: slot.id).associatedData,
            targetContext: try record.identity(slot: record.next).associatedData, content: try record.encoded())
        return ([secret], name)
    }

    private static func slot(of identity: String, _ record: RecoveryRecord) -> LockSlot? {
        record.slots.first { $0.kind == .token && $0.identity.isExactly(identity) }
    }

    func form(of secret: TokenSealedSecret, opened: SharedSecret, sealed: [UInt8]) async throws -> [UInt8] {
        let record = try RecoveryRecord(decoding: secret.content)
        guard let slot = Self.slot(of: source, record) else {
            throw EnclaveLockError(.openingFailed, "A form has no slot of the token that it is for.")
        }
        let other = LockSlot(
            id: record.next, kind: .token, identity: target, sealed: Data(sealed),
            createdAt: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
        return try record.replacing(slot: slot.id, by: other, opened: opened).encoded()
    }

    func sealed(inForm form: [UInt8]) throws -> [UInt8] {
        guard let slot = Self.slot(of: target, try RecoveryRecord(decoding: form)) else {
            throw EnclaveLockError(.openingFailed, "A form has no slot of the token that it is for.")
        }
        return [UInt8](slot.sealed)
    }

    func accepts(_ form: [UInt8], of _: TokenSealedSecret, opened: SharedSecret) async throws -> Bool {
        try RecoveryRecord(decoding: form).accepts(opened)
    }

    func put(_ form: [UInt8], insteadOf secret: TokenSealedSecret) async throws -> Bool {
        guard try file.read()?.encoded() == secret.content else { return false }
        try file.write(try RecoveryRecord(decoding: form))
        return true
    }
}
