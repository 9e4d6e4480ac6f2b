import Synchronization

/// The databases that the chain watches, and what became of each.
///
/// - Concurrency: any thread.
final class WatchedStores: Sendable {
    private struct Entry {
        var store: WatchedStore
        var problem: AuditError?
        /// Why the file could not be compared with its seal yet.
        var delay: String?

        init(_ store: WatchedStore, told head: AuditHead) {
            self.store = store
            problem = store.problem(told: head)
            if let problem { store.refuse(problem.message) }
        }
    }

    private let entries: Mutex<[Entry]>

    init(_ store: WatchedStore?, told head: AuditHead) {
        entries = Mutex(store.map { [Entry($0, told: head)] } ?? [])
    }

    func add(_ store: WatchedStore, told head: AuditHead) {
        entries.withLock { $0.append(Entry(store, told: head)) }
    }

    /// Looks again, after an operator accepted what is there.
    func look(told head: AuditHead) {
        entries.withLock { entries in
            for place in entries.indices { entries[place].problem = entries[place].store.problem(told: head) }
        }
    }

    func settle(_ name: String, _ problem: AuditError?) {
        entries.withLock { entries in
            for place in entries.indices where entries[place].store.name == name { entries[place].problem = problem }
        }
    }

    func delay(_ name: String, _ reason: String) {
        entries.withLock { entries in
            for place in entries.indices where entries[place].store.name == name { entries[place].delay = reason }
        }
    }

    /// Why a database is not the one that the chain knows of.
    var problem: AuditError? {
        entries.withLock { entries in
            // Asked with every request: no entry is copied.
            for place in entries.indices { if let problem = entries[place].problem { return problem } }
            return nil
        }
    }

    /// That a database with a seal was not compared with it yet.
    var isWaiting: AuditError? {
        entries.withLock { entries in
            guard let place = entries.indices.first(where: { entries[$0].store.isPending() }) else { return nil }
            let entry = entries[place]
            return AuditError(
                .untrusted,
                "The database '\(entry.store.path)' was not compared with its seal yet; try again."
                    + (entry.delay.map { " \($0)" } ?? ""))
        }
    }

    /// What the records say from now on.
    func raise(_ head: inout AuditHead) {
        entries.withLock { entries in
            // What a file says of itself before it is proven is anybody's word.
            for entry in entries where entry.problem == nil && !entry.store.isUnproven() {
                let (name, epoch) = (entry.store.name, entry.store.epoch())
                if name == WatchedStore.keystores { head.storeEpoch = max(head.storeEpoch, epoch) }
                if entry.store.isSealed() { head.sealed[name] = max(head.sealed[name] ?? 0, epoch) }
            }
        }
    }
}
