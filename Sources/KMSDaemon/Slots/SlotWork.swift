package import EnclaveLock
import Encodings
import Foundation
import HybridSealing
package import KMSConfiguration
package import Keystores
import Token

/// What the verbs of lock slots do, while the daemon does not run. Each act is in the record of decisions before it is done.
package struct SlotWork {
    package let settings: Configuration

    package init(_ settings: Configuration) { self.settings = settings }

    private var file: SlotFile { SlotFile(home: settings.home) }

    // MARK: Adding

    /// Adds a slot; in a home that has none, the recovery key and the slot of the daemon's own lock with it.
    ///
    /// - Parameter lock: Makes the new slot's lock from those of the daemon.
    /// - Returns: The new slot.
    package func add(_ lock: (KeystoreLocks) throws -> any SecretLock) async throws -> LockSlot {
        try await RecordedWork.run(settings) { work in
            let locks = work.application.locks
            let lock = try lock(locks)
            let time = now()
            let base: RecoveryLock
            if let known = work.application.recovery {
                base = known
            } else {
                let first = try await RecoveryLock.make(firstSlot: locks.server, createdAt: time)
                base = try RecoveryLock(record: first, openers: locks.all)
            }
            let record = try await base.adding(lock, createdAt: time)
            guard let slot = record.slots.last else { throw CommandFailure(.failed, code: "slot", "No slot was made.") }
            // What seals to a public key is proved where its token is: by `slot test`.
            if slot.kind != .hybrid, slot.kind != .people {
                try await RecoveryLock(record: record, openers: [lock]).test(slot)
            }
            try await store(record, "slot-add", slot, work)
            return slot
        }
    }

    /// Removes a slot. Who has an older copy of the list and what opened the slot still opens that copy.
    package func remove(_ id: Int) async throws -> LockSlot {
        try await RecordedWork.run(settings) { work in
            let known = try recovery(of: work)
            guard let slot = known.record.slots.first(where: { $0.id == id }) else {
                throw CommandFailure(.usage, code: "slot", "There is no lock slot \(id); `kmsd slot list` shows them.")
            }
            guard !isOwn(slot, of: known.record) else {
                throw CommandFailure(
                    .failed, code: "slot",
                    "Slot \(id) is that of the daemon's own lock: it stays as long as this home has that lock.")
            }
            try await store(try await known.removing(id), "slot-remove", slot, work)
            return slot
        }
    }

    private func store(
        _ record: RecoveryRecord, _ operation: String, _ slot: LockSlot, _ work: RecordedWork
    ) async throws {
        let subject = "slot:\(slot.id)"
        try await work.records.allow(
            operation, subject, details: ["kind": slot.kind.name, "identity": slot.identity])
        do {
            try file.write(record)
        } catch {
            try await work.records.refused(operation, subject, reason: "not-written")
            throw error
        }
    }

    // MARK: Reaching

    /// Lets the slots open every keystore; goes on where an earlier run was interrupted.
    package func fill(progress: @escaping @Sendable (Int) -> Void = { _ in }) async throws -> RecoveryReach {
        try await RecordedWork.run(settings) { work in
            _ = try recovery(of: work)
            let reach = try await work.application.keystores.reachWithRecovery(progress: progress)
            try await work.records.made(
                "slot-fill", "",
                details: [
                    "reached": "\(reach.reached)", "by-shares": "\(reach.byShares)", "damaged": "\(reach.damaged)",
                ])
            return reach
        }
    }

    // MARK: Looking

    /// The slots and how far they reach, as the files say; also beside a running daemon.
    package func list() async throws -> (record: RecoveryRecord, reach: RecoveryReach)? {
        guard let record = try file.read() else { return nil }
        let identity = try RecoveryLock(record: record, openers: []).identity
        guard FilePresence.exists(settings.databasePath) else { return (record, RecoveryReach()) }
        let store = try SQLiteKeystoreStore(path: settings.databasePath)
        let reach = try await KeystoreService.reach(of: identity, in: store)
        try store.close()
        return (record, reach)
    }

    /// Whether a slot is that of the lock which the settings name.
    package func isOwn(_ slot: LockSlot, of record: RecoveryRecord) -> Bool {
        let kind: LockKind =
            switch settings.secretLock {
            case .token: .token
            case .localFile: .localFile
            case .aws: .aws
            case .passphrase: .passphrase
            }
        return record.slots.filter { $0.kind == kind }.min { $0.id < $1.id }?.id == slot.id
    }

    /// What came of trying a slot.
    package enum Trial: String, Encodable, Sendable {
        case opens
        /// Its lock is not configured, or its token is away.
        case away = "not-at-hand"
        case refuses = "does-not-open"
    }

    /// Opens each slot that is at hand.
    ///
    /// - Parameter only: One slot alone; nil for all.
    package func test(_ only: Int?) async throws -> [(slot: LockSlot, trial: Trial, reason: String?)] {
        try await RecordedWork.run(settings) { work in
            let known = try recovery(of: work)
            let slots = known.record.slots.filter { only == nil || $0.id == only }
            if let only, slots.isEmpty {
                throw CommandFailure(
                    .usage, code: "slot", "There is no lock slot \(only); `kmsd slot list` shows them.")
            }
            var trials: [(slot: LockSlot, trial: Trial, reason: String?)] = []
            for slot in slots {
                let (trial, reason) = await attempt(slot, of: known)
                try await work.records.made(
                    "slot-test", "slot:\(slot.id)", details: ["kind": slot.kind.name, "outcome": trial.rawValue])
                trials.append((slot, trial, reason))
            }
            return trials
        }
    }

    private func attempt(_ slot: LockSlot, of lock: RecoveryLock) async -> (Trial, String?) {
        do throws(EnclaveLockError) {
            try await lock.test(slot)
            return (.opens, nil)
        } catch {
            return (error.code == .openingFailed ? .refuses : .away, error.cause?.message ?? error.message)
        }
    }

    // MARK: Retiring

    /// What still needs the token, signed by it. Recorded as refused while anything does.
    package func needs() async throws -> SignedNeeds {
        try await RecordedWork.run(settings) { work in
            _ = try recovery(of: work)
            guard let token = work.application.token, let manifest = token.manifest else {
                throw ConfigurationError("the token must be there to sign what still needs it; give --token-uri")
            }
            let needs = try await TokenNeeds.count(settings)
            var signed = SignedNeeds(
                needs: needs, instance: manifest.instance, token: manifest.token.serial, time: now(),
                key: manifest[.audit]?.fingerprint ?? "")
            signed.signature = Hexadecimal.encode(try await token.sign(signed.encoded, with: .audit))
            let subject = "token:\(manifest.token.serial)"
            if needs.total > 0 {
                try await work.records.refused("slot-retire", subject, reason: "still-needed")
            } else {
                try await work.records.made("slot-retire", subject, details: ["signature": signed.signature])
            }
            return signed
        }
    }

    // MARK: A token's public key

    /// The public key of this home's token for others to seal to; made at the first call, and proved by the token at each.
    package func recipient() async throws -> (record: RecipientRecord, isNew: Bool) {
        let file = RecipientFile(home: settings.home)
        let known = try file.read()
        let record = try await RecordedWork.run(settings) { work in
            guard let token = work.application.token else {
                throw ConfigurationError("no token is configured; give --token-uri or KMS_TOKEN_URI")
            }
            if let known {
                try await TokenRecipient(record: known, token: token).prove()
                return known
            }
            guard token.residentAlgorithms.contains(.p256Agreement) else {
                throw CommandFailure(
                    .failed, code: "mechanism",
                    "This token does not agree on secrets (ECDH on P-256), so nothing can be sealed to it; "
                        + "`kmsd token probe --write` shows what it does.")
            }
            let record = try await TokenRecipient.make(in: token)
            try await work.records.allow(
                "slot-recipient", "", details: ["fingerprint": try record.publicKey.fingerprint])
            try file.write(record)
            return record
        }
        return (record, known == nil)
    }

    private func recovery(of work: RecordedWork) throws -> RecoveryLock {
        guard let known = work.application.recovery else {
            throw CommandFailure(
                .failed, code: "slot", "This home has no lock slots; `kmsd slot add` makes the first.")
        }
        return known
    }

    private func now() -> Int64 { Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)) }
}

extension Application {
    /// Nil in a home without lock slots.
    package var recovery: RecoveryLock? { locks.recovery as? RecoveryLock }
}
