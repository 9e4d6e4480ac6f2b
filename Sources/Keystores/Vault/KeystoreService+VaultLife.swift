import Encodings
import Token

extension KeystoreService {
    /// Vaults asked at once by a sweep, and for how long a sweep goes on asking: a vault that is slow holds up other
    /// vaults for a while, and keystores without vault never.
    private static let vaultsAtOnce = 8
    private static let longestVaultSweep = Duration.seconds(60)

    /// Erases a key whose sealed bytes are in a vault: out of use first, then out of the vault, then its tombstone. A
    /// vault that is away leaves a key that waits for its destruction, and the sweep asks again.
    ///
    /// - Returns: The tombstone; nil if the row changed meanwhile.
    /// - Throws: ``KMSError``, `.upstreamFailed` with the key out of use but its document perhaps not removed.
    func eraseVaulted(
        _ record: KeyRecord, as tombstone: KeyRecord, in keystore: OpenKeystore
    ) async throws -> KeyRecord? {
        let address = KeyAddress(keystore: record.keystore, key: record.id)
        var waiting = record
        if record.state != KeyState.pendingDestruction.rawValue || (record.destroyAt ?? .max) > now {
            waiting.state = KeyState.pendingDestruction.rawValue
            waiting.destroyAt = now
            waiting.authenticator = try keystore.rows.authenticator(of: waiting)
            guard try await store.updateKey(waiting, expecting: record.authenticator) else { return nil }
            openedKeys.revoke(address)
        }
        if let vault = try vault(of: keystore) {
            do {
                try await vault.remove(record.id)
            } catch {
                let cause = KMSError.translate(error)
                throw KMSError(
                    cause.code,
                    "The key '\(record.id)' is out of use, but its document was not removed from the vault; that is "
                        + "tried again. \(cause.message)", underlying: error, isPassing: cause.isPassing)
            }
        }
        guard try await store.eraseKey(tombstone, expecting: waiting.authenticator) else { return nil }
        return tombstone
    }

    /// Destroys overdue keys whose sealed bytes are in vaults, by keystore. A vault that fails is left for the next sweep.
    ///
    /// - Returns: How many were destroyed.
    func sweepVaults(
        _ keystores: [ExactText: [String]], _ didDestroy: @escaping @Sendable (KeyAddress) async -> Void
    ) async -> Int {
        let end = ContinuousClock.now + Self.longestVaultSweep
        return await withTaskGroup(of: Int.self) { group in
            var waiting = keystores.shuffled().makeIterator()
            var destroyed = 0
            for _ in 0..<Self.vaultsAtOnce {
                guard let (keystore, keys) = waiting.next() else { break }
                group.addTask { await self.destroyOverdue(keystore.text, keys, until: end, didDestroy) }
            }
            while let count = await group.next() {
                destroyed += count
                guard ContinuousClock.now < end, let (keystore, keys) = waiting.next() else { continue }
                group.addTask { await self.destroyOverdue(keystore.text, keys, until: end, didDestroy) }
            }
            return destroyed
        }
    }

    /// Stops at the first key that cannot be destroyed.
    private func destroyOverdue(
        _ keystore: String, _ keys: [String], until end: ContinuousClock.Instant,
        _ didDestroy: @Sendable (KeyAddress) async -> Void
    ) async -> Int {
        var destroyed = 0
        for key in keys {
            let address = KeyAddress(keystore: keystore, key: key)
            guard ContinuousClock.now < end, await destroyOverdue(address) else { break }
            await didDestroy(address)
            destroyed += 1
        }
        return destroyed
    }
}
