import Synchronization
import Token

/// The keys of one kind that are unwrapped in the token right now, least recently used first out.
///
/// A handle in use is never handed out for destruction; while more than the limit are in use, the limit gives way.
///
/// - Concurrency: any thread; one short critical section per call. The caller destroys the handles it is given.
final class ResidentCache<Blob: UnwrappableKey>: Sendable {
    private struct Entry {
        let blob: Blob
        let handle: ObjectHandle
        var users: Int
        var lastUse: UInt64
    }

    private struct State {
        var entries: [[UInt8]: Entry] = [:]
        /// Forgotten while in use; destroyed by the last user. Keyed by handle.
        var leaving: [ObjectHandle: Int] = [:]
        var clock: UInt64 = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.entries.count } }

    /// The handle of a key, to be given back with ``release(_:_:)``; nil if the key is not unwrapped.
    ///
    /// - Throws: `.keyMismatch` if another blob has the same identifier.
    func acquire(_ blob: Blob) throws(HSMError) -> ObjectHandle? {
        let found = state.withLock { state -> (handle: ObjectHandle?, isOther: Bool) in
            guard let index = state.entries.index(forKey: blob.identifier) else { return (nil, false) }
            guard state.entries.values[index].blob == blob else { return (nil, true) }
            state.clock += 1
            state.entries.values[index].users += 1
            state.entries.values[index].lastUse = state.clock
            return (state.entries.values[index].handle, false)
        }
        if found.isOther { throw HSMError(.keyMismatch, "Another key goes by the same identifier.") }
        return found.handle
    }

    /// Takes a freshly unwrapped key in, in use by the caller.
    ///
    /// - Returns: The handle to use (another thread may have been faster) and the handles to destroy.
    func insert(_ handle: ObjectHandle, for blob: Blob) -> (use: ObjectHandle, destroy: [ObjectHandle]) {
        state.withLock { state in
            state.clock += 1
            if let index = state.entries.index(forKey: blob.identifier), state.entries.values[index].blob == blob {
                state.entries.values[index].users += 1
                state.entries.values[index].lastUse = state.clock
                return (state.entries.values[index].handle, [handle])
            }
            var replaced: [ObjectHandle] = []
            if let other = state.entries.removeValue(forKey: blob.identifier) {
                if other.users > 0 { state.leaving[other.handle] = other.users } else { replaced = [other.handle] }
            }
            state.entries[blob.identifier] = Entry(blob: blob, handle: handle, users: 1, lastUse: state.clock)
            return (handle, replaced + Self.evict(&state, limit: limit))
        }
    }

    /// Gives a handle back.
    ///
    /// - Returns: The handles to destroy.
    func release(_ identifier: [UInt8], _ handle: ObjectHandle) -> [ObjectHandle] {
        state.withLock { state in
            if let users = state.leaving[handle] {
                state.leaving[handle] = users > 1 ? users - 1 : nil
                return users > 1 ? [] : [handle]
            }
            guard let index = state.entries.index(forKey: identifier), state.entries.values[index].handle == handle
            else { return [] }
            state.entries.values[index].users -= 1
            return state.entries.count > limit ? Self.evict(&state, limit: limit) : []
        }
    }

    /// Drops a key, whoever uses it.
    ///
    /// - Returns: The handle to destroy now; nil if there is none or if its last user will be told.
    func forget(_ identifier: [UInt8]) -> ObjectHandle? {
        state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: identifier) else { return nil }
            guard entry.users > 0 else { return entry.handle }
            state.leaving[entry.handle] = entry.users
            return nil
        }
    }

    private static func evict(_ state: inout State, limit: Int) -> [ObjectHandle] {
        var evicted: [ObjectHandle] = []
        let excess = state.entries.count - limit
        guard excess > 0 else { return evicted }
        // One pass finds the single oldest in the usual case of one key too many.
        for _ in 0..<excess {
            let oldest = state.entries.lazy.filter { $0.value.users == 0 }.min { $0.value.lastUse < $1.value.lastUse }
            guard let oldest else { break }
            state.entries.removeValue(forKey: oldest.key)
            evicted.append(oldest.value.handle)
        }
        return evicted
    }
}
