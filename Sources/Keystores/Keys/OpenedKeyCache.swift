import Synchronization
import Token
import Workers

/// Opened keys of the last minutes, in shards so that cores seldom wait for each other.
///
/// A use of a key begins by reading its shard's *epoch* and ends by comparing it: every revocation raises the epoch before
/// it is answered, so a result computed with a key that was revoked meanwhile is discarded, whether the key was
/// still in the cache, already evicted or never put there.
///
/// Eviction is by second chance (CLOCK), among the keys of whoever has more than an equal part of the places, so that one tenant's
/// many keys do not push out the few of another. A sweeper drops expired keys, used or not.
///
/// - Concurrency: any thread; critical sections are a dictionary access long.
final class OpenedKeyCache: Sendable {
    private struct Slot {
        let address: KeyAddress
        let key: OpenedKey
        var used: Bool
    }

    private struct State {
        var positions: [KeyAddress: Int] = [:]
        var slots: [Slot?] = []
        var free: [Int] = []
        var hand = 0
        var places: FairPlaces<TokenTenant>
    }

    private final class Shard: Sendable {
        let epoch = Atomic<UInt64>(0)
        let state: Mutex<State>

        init(capacity: Int) { state = Mutex(State(places: FairPlaces(capacity: capacity))) }
    }

    private let shards: [Shard]
    private let capacity: Int
    private let sweepInterval: Duration
    private let sweeper = Mutex<Task<Void, Never>?>(nil)

    /// - Parameter capacity: Most keys in all shards together, about.
    init(capacity: Int, timeToLive: Duration) {
        let count = capacity >= 1024 ? 64 : 1
        let share = max(1, capacity / count)
        shards = (0..<count).map { _ in Shard(capacity: share) }
        self.capacity = share
        sweepInterval = min(.seconds(1), max(.milliseconds(10), timeToLive / 10))
    }

    deinit { sweeper.withLock { $0?.cancel() } }

    var count: Int { shards.reduce(0) { sum, shard in sum + shard.state.withLock { $0.positions.count } } }

    /// To be read before a key is looked up or loaded.
    func epoch(_ address: KeyAddress) -> UInt64 { shard(address).epoch.load(ordering: .acquiring) }

    func find(_ address: KeyAddress) -> OpenedKey? {
        let key = shard(address).state.withLock { state -> OpenedKey? in
            guard let position = state.positions[address] else { return nil }
            state.slots[position]?.used = true
            return state.slots[position]?.key
        }
        guard let key, key.expires > ContinuousClock.now else { return nil }
        return key
    }

    /// Keeps a key unless something was revoked since `epoch`, when the key's row may have been read.
    func insert(_ key: OpenedKey, at address: KeyAddress, epoch: UInt64) {
        guard key.expires > ContinuousClock.now else { return }
        let shard = shard(address)
        shard.state.withLock { state in
            guard shard.epoch.load(ordering: .acquiring) == epoch else { return }
            if let position = state.positions[address] {
                if let old = state.slots[position] { state.places.giveBack(old.key.tenant) }
                state.places.take(key.tenant)
                state.slots[position] = Slot(address: address, key: key, used: true)
                return
            }
            let position = place(&state, for: key.tenant)
            state.places.take(key.tenant)
            state.slots[position] = Slot(address: address, key: key, used: false)
            state.positions[address] = position
        }
        startSweeping()
    }

    /// Drops a key and makes every use under way find out.
    func revoke(_ address: KeyAddress) {
        let shard = shard(address)
        shard.state.withLock { state in
            shard.epoch.add(1, ordering: .acquiringAndReleasing)
            remove(address, &state)
        }
    }

    /// Drops every such key, and makes every use under way find out, of whatever key.
    func revoke(_ isMeant: (OpenedKey) -> Bool) {
        for shard in shards {
            shard.state.withLock { state in
                shard.epoch.add(1, ordering: .acquiringAndReleasing)
                for case .some(let slot) in state.slots where isMeant(slot.key) { remove(slot.address, &state) }
            }
        }
    }

    /// Drops about half of the keys, those not used recently first, to give locked memory back.
    func shed() {
        for shard in shards {
            shard.state.withLock { state in
                let slots = state.slots.compactMap { $0 }.sorted { !$0.used && $1.used }
                for slot in slots.prefix((slots.count + 1) / 2) { remove(slot.address, &state) }
            }
        }
    }

    private func shard(_ address: KeyAddress) -> Shard {
        shards.count == 1 ? shards[0] : shards[address.hashValue & (shards.count - 1)]
    }

    private func remove(_ address: KeyAddress, _ state: inout State) {
        guard let position = state.positions.removeValue(forKey: address) else { return }
        if let slot = state.slots[position] { state.places.giveBack(slot.key.tenant) }
        state.slots[position] = nil
        state.free.append(position)
    }

    /// A position to write to, evicting if the shard is full.
    private func place(_ state: inout State, for tenant: TokenTenant) -> Int {
        if let position = state.free.popLast() { return position }
        if state.slots.count < capacity {
            state.slots.append(nil)
            return state.slots.count - 1
        }
        // Every slot is taken here; the second turn finds one whose mark the first has cleared. A third one takes what it finds:
        // there are more tenants than places.
        for turn in 0...(2 * state.slots.count) {
            let position = state.hand
            state.hand = (position + 1) % state.slots.count
            guard let slot = state.slots[position] else { return position }
            let isLast = turn == 2 * state.slots.count
            guard isLast || state.places.mayLose(slot.key.tenant, to: tenant) else { continue }
            if slot.used, !isLast {
                state.slots[position]?.used = false
                continue
            }
            remove(slot.address, &state)
            _ = state.free.popLast()
            return position
        }
        preconditionFailure("the last step takes the slot that it comes to")
    }

    // MARK: Sweeping

    private func startSweeping() {
        sweeper.withLock { task in
            guard task == nil else { return }
            task = Task { [weak self, sweepInterval] in
                repeat { try? await Task.sleep(for: sweepInterval) } while !Task.isCancelled && self?.sweep() == true
            }
        }
    }

    /// Drops expired keys; false when nothing is left, and then the sweeper has ended.
    private func sweep() -> Bool {
        let now = ContinuousClock.now
        for shard in shards {
            shard.state.withLock { state in
                for case .some(let slot) in state.slots where slot.key.expires <= now { remove(slot.address, &state) }
            }
        }
        return sweeper.withLock { task in
            // Under this lock, so that an insertion after the count starts a new sweeper.
            if count > 0 { return true }
            task = nil
            return false
        }
    }
}
