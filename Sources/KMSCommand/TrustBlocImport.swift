import EnclaveLock
import Encodings
import KMSDaemon
import Keystores
import TrustBlocImport

/// Brings the keystores and keys of a dump into our store, one transaction each; what is there is passed over.
struct TrustBlocImport {
    let keystores: KeystoreService
    let dump: TrustBlocDump
    let locks: TrustBlocLocks
    /// Who presents which share, by keystore; of each one there is a key in `locks`.
    let callers: [ExactText: CallerShare]
    /// Ids of the keys that are in vaults, by keystore.
    let vaultKeys: [ExactText: [String]]
    let vaults: any VaultOpening
    let audit: RecordedWork.Records
    /// The dump's keys, by id.
    let records: [ExactText: [UInt8]]

    init(
        keystores: KeystoreService, dump: TrustBlocDump, locks: TrustBlocLocks, callers: [ExactText: CallerShare],
        vaultKeys: [ExactText: [String]], vaults: any VaultOpening,
        records audit: RecordedWork.Records
    ) {
        self.keystores = keystores
        self.dump = dump
        self.locks = locks
        self.callers = callers
        self.vaultKeys = vaultKeys
        self.vaults = vaults
        self.audit = audit
        records = Dictionary(dump.keys.map { (ExactText($0.id), $0.record) }) { first, _ in first }
    }

    func run() async throws -> ImportReport {
        var report = ImportReport()
        report.passedOver = dump.passedOver
        var progress = ImportProgress(total: 2 * dump.keystores.count + dump.keys.count)
        defer { progress.finish() }
        let keys = try await TrustBlocKeys.opening(dump, with: locks) { progress.step() }
        var usable: Set<Int> = []
        let unopened = Dictionary(keys.unopened.map { ($0.keystore, $0.reason) }) { first, _ in first }
        for (index, keystore) in dump.keystores.enumerated() {
            progress.step()
            if let reason = unopened[keystore.id] {
                report.leave("keystore", keystore.id, reason)
            } else if keystore.hasVault {
                try await bringVault(index, keys, &report)
            } else if !keys.sharing.contains(index), try await adopt(keystore, &report) {
                usable.insert(index)
            }
        }
        let inVaults = Set(dump.keystores.filter(\.hasVault).map { ExactText($0.id) })
        for id in vaultKeys.keys.sorted() where !inVaults.contains(id) {
            report.leave(
                "keystore", id.text, "--vault-keys names it, and the dump has no keystore of that id with a vault")
        }
        for (id, record) in dump.keys {
            progress.step()
            do {
                try await bring(id, record, keys, &usable, &report)
            } catch let error as TrustBlocError {
                report.leave("key", id, error.message)
            } catch let error as KMSError where Self.concernsOne(error) {
                report.leave("key", id, error.message)
            }
        }
        for index in keys.sharing.subtracting(usable).sorted() where !dump.keystores[index].hasVault {
            report.leave(
                "keystore", dump.keystores[index].id, "no key in the dump opens with its shares, so they may be wrong")
        }
        return report
    }

    /// - Returns: Whether keys may be brought into it.
    func adopt(
        _ keystore: TrustBlocDump.Keystore, at vault: VaultLocation? = nil, _ report: inout ImportReport
    ) async throws -> Bool {
        let caller = callers[ExactText(keystore.id)]
        do {
            let isNew = try await keystores.adoptKeystore(
                id: keystore.id, controller: keystore.controller, createdAt: keystore.createdAt,
                capability: keystore.capability, lock: caller == nil ? nil : LockKind.shamir.name, vault: vault,
                caller: Caller(share: caller))
            guard isNew else {
                report.alreadyHere += 1
                return true
            }
            report.keystores += 1
            try await audit.made("import-keystore", keystore.id)
            return true
        } catch let error as KMSError where Self.concernsOne(error) {
            report.leave("keystore", keystore.id, error.message)
            return false
        }
    }

    /// Takes over a key, and records it.
    func adopt(
        _ keyset: TinkKeyset, _ id: String, _ keystore: TrustBlocDump.Keystore, _ report: inout ImportReport
    ) async throws {
        let isNew = try await keystores.adoptKey(
            keystore: keystore.id, id: id, versions: keyset.versions,
            caller: Caller(share: callers[ExactText(keystore.id)]))
        guard isNew else {
            report.alreadyHere += 1
            return
        }
        report.keys += 1
        try await audit.made("import-key", "\(keystore.id)/\(id)")
    }

    private func bring(
        _ id: String, _ record: [UInt8], _ keys: TrustBlocKeys, _ usable: inout Set<Int>, _ report: inout ImportReport
    ) async throws {
        switch try await keys.find(id, record) {
        case .serversOwn: report.serversOwn += 1
        case .key(let index, let keyset):
            let keystore = dump.keystores[index]
            // The first key that opens proves the shares.
            if !usable.contains(index), keys.sharing.contains(index), !keystore.hasVault,
                try await adopt(keystore, &report)
            {
                usable.insert(index)
            }
            guard usable.contains(index) else {
                report.leave("key", id, "its keystore was left behind")
                return
            }
            try await adopt(keyset, id, keystore, &report)
            if keyset.leftOut > 0 { report.leave("key", id, "\(keyset.leftOut) disabled or destroyed versions") }
        }
    }

    /// Whether the next record may do better; else the whole run ends, to be begun again.
    static func concernsOne(_ error: KMSError) -> Bool { !error.code.isRetryable }
}
