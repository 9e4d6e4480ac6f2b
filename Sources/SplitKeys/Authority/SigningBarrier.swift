import Synchronization

/// Orders signatures with changes of the key that makes them: a change waits for the signatures under way, and new ones
/// wait for the change. Signatures under way when a revocation begins are refused at their end.
///
/// - Concurrency: any number of calls at once; the lock inside is held for a dictionary access.
final class SigningBarrier: Sendable {
    private struct Entry {
        var signers = 0
        var isChanging = false
        var isRevoking = false
        var waiting: [CheckedContinuation<Bool, Never>] = []
    }

    // exact: names of keys are hexadecimal digits that were made here.
    private let entries = Mutex<[String: Entry]>([:])

    /// Begins a signature, after any change under way.
    func enter(_ key: String) async {
        await wait(key) { entry in
            guard !entry.isChanging else { return false }
            entry.signers += 1
            return true
        }
    }

    func leave(_ key: String) { update(key) { $0.signers -= 1 } }

    /// Whether a revocation began since the signature did.
    func isRevoking(_ key: String) -> Bool { entries.withLock { $0[key]?.isRevoking ?? false } }

    /// Begins a change: after other changes, and after the signatures under way.
    func beginChange(_ key: String, revoking: Bool) async {
        await wait(key) { entry in
            guard !entry.isChanging else { return false }
            entry.isChanging = true
            entry.isRevoking = revoking
            return true
        }
        await wait(key) { $0.signers == 0 }
    }

    func endChange(_ key: String) {
        update(key) { entry in
            entry.isChanging = false
            entry.isRevoking = false
        }
    }

    /// Suspends until `attempt` succeeds; it is tried again after each end of a signature or change. Trying and beginning
    /// to wait are one step, so that no end is missed.
    private func wait(_ key: String, _ attempt: @Sendable (inout Entry) -> Bool) async {
        var succeeded = false
        while !succeeded {
            succeeded = await withCheckedContinuation { continuation in
                let result = entries.withLock { entries -> Bool in
                    var entry = entries[key] ?? Entry()
                    let result = attempt(&entry)
                    if !result { entry.waiting.append(continuation) }
                    entries[key] = entry
                    return result
                }
                if result { continuation.resume(returning: true) }
            }
        }
    }

    private func update(_ key: String, _ body: (inout Entry) -> Void) {
        let waiting = entries.withLock { entries -> [CheckedContinuation<Bool, Never>] in
            guard var entry = entries[key] else { return [] }
            body(&entry)
            let waiting = entry.waiting
            entry.waiting = []
            let isIdle = entry.signers == 0 && !entry.isChanging
            entries[key] = isIdle ? nil : entry
            return waiting
        }
        for continuation in waiting { continuation.resume(returning: false) }
    }
}
