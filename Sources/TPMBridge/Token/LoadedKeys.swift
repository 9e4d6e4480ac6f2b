import CTSS2
import Token

/// The resident keys and multipliers that are loaded now, least recently used first out.
///
/// A TPM has room for three objects (`TPM_PT_HR_TRANSIENT_MIN`). Loading takes a slot for the storage key besides the
/// new one's, and using a persistent key takes one for the time of the command, so one slot stays free always.
struct LoadedKeys {
    private struct Entry {
        let blob: AnyHashable
        let handle: ESYS_TR
        var lastUse: UInt64
    }

    private let limit: Int
    private var entries: [[UInt8]: Entry] = [:]
    private var clock: UInt64 = 0

    init(slots: Int) { limit = max(1, min(slots, 64) - 1) }

    /// - Throws: `.keyMismatch` if another blob has the same identifier.
    mutating func handle(of blob: some UnwrappableKey) throws(HSMError) -> ESYS_TR? {
        guard let index = entries.index(forKey: blob.identifier) else { return nil }
        guard entries.values[index].blob == AnyHashable(blob) else {
            throw HSMError(.keyMismatch, "Another key goes by the same identifier.")
        }
        clock += 1
        entries.values[index].lastUse = clock
        return entries.values[index].handle
    }

    /// What must be flushed before one more key is loaded: a load needs two free slots.
    mutating func makeRoom() -> ESYS_TR? {
        guard entries.count >= limit, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else {
            return nil
        }
        return entries.removeValue(forKey: oldest.key)?.handle
    }

    mutating func insert(_ handle: ESYS_TR, for blob: some UnwrappableKey) {
        clock += 1
        entries[blob.identifier] = Entry(blob: AnyHashable(blob), handle: handle, lastUse: clock)
    }

    mutating func remove(_ identifier: [UInt8]) -> ESYS_TR? { entries.removeValue(forKey: identifier)?.handle }

    mutating func removeAll() -> [ESYS_TR] {
        defer { entries = [:] }
        return entries.values.map(\.handle)
    }
}
