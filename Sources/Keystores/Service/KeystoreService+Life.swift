import Encodings
import WorkingKeys

extension KeystoreService {
    /// Longest wait before a destruction.
    private static let longestGrace = Duration.seconds(365 * 24 * 3600)
    /// Overdue keys read at a time.
    private static let sweepPage = 500

    /// What a change of state comes to.
    private enum Change {
        case nothing
        case update(KeyRecord)
        /// The record is a tombstone: its versions are erased.
        case erase(KeyRecord)
    }

    public func disableKey(keystore: String, key: String, caller: Caller = .nobody) async throws -> KeyMetadata {
        try await exchange(.enabled, for: .disabled, keystore, key, caller)
    }

    public func enableKey(keystore: String, key: String, caller: Caller = .nobody) async throws -> KeyMetadata {
        try await exchange(.disabled, for: .enabled, keystore, key, caller)
    }

    private func exchange(
        _ old: KeyState, for new: KeyState, _ keystore: String, _ key: String, _ caller: Caller
    ) async throws -> KeyMetadata {
        try await change(keystore, key, caller) { record, _ in
            switch KeyState(rawValue: record.state) {
            case old:
                var changed = record
                changed.state = new.rawValue
                return .update(changed)
            case new: return .nothing
            default: throw Self.ended(record)
            }
        }
    }

    public func destroyKey(keystore: String, key: String, grace: Duration?, caller: Caller = .nobody) async throws
        -> KeyMetadata
    {
        let grace = grace ?? configuration.destroyGrace
        guard grace >= .zero, grace <= Self.longestGrace else {
            throw KMSError(.invalidArgument, "The grace period is 0 to 365 days.")
        }
        return try await change(keystore, key, caller) { record, now in
            guard record.state != KeyState.destroyed.rawValue else { throw Self.ended(record) }
            if grace == .zero { return .erase(Self.tombstone(record, at: now)) }
            var changed = record
            changed.state = KeyState.pendingDestruction.rawValue
            changed.destroyAt = min(record.destroyAt ?? .max, now + Self.milliseconds(grace))
            return changed == record ? .nothing : .update(changed)
        }
    }

    public func cancelDestruction(keystore: String, key: String, caller: Caller = .nobody) async throws -> KeyMetadata {
        try await change(keystore, key, caller) { record, now in
            switch KeyState(rawValue: record.state) {
            case .pendingDestruction:
                guard let destroyAt = record.destroyAt, destroyAt > now else { throw Self.ended(record) }
                var changed = record
                changed.state = KeyState.disabled.rawValue
                changed.destroyAt = nil
                return .update(changed)
            case .destroyed: throw Self.ended(record)
            default: throw KMSError(.invalidArgument, "The key '\(record.id)' does not wait for its destruction.")
            }
        }
    }

    public func sweep(_ didDestroy: @escaping @Sendable (KeyAddress) async -> Void) async throws -> Int {
        try await translated {
            var destroyed = 0
            var last: KeyAddress?
            var inVaults: [ExactText: [String]] = [:]
            while true {
                let page = try await store.overdueKeys(at: now, after: last, limit: Self.sweepPage)
                guard let end = page.last else { break }
                for address in page {
                    // A damaged or locked keystore keeps its keys until it is repaired; the others go on.
                    guard let keystore = try? await open(address.keystore, .nobody) else { continue }
                    if keystore.vault != nil {
                        inVaults[ExactText(address.keystore), default: []].append(address.key)
                    } else if await destroyOverdue(address) {
                        await didDestroy(address)
                        destroyed += 1
                    }
                }
                last = end
            }
            return destroyed + (await sweepVaults(inVaults, didDestroy))
        }
    }

    /// Destroys a key whose time has come; tells whether it is destroyed now.
    func destroyOverdue(_ address: KeyAddress) async -> Bool {
        let metadata = try? await change(address.keystore, address.key, .nobody) { record, now in
            guard record.state == KeyState.pendingDestruction.rawValue, let destroyAt = record.destroyAt,
                destroyAt <= now
            else { return .nothing }
            return .erase(Self.tombstone(record, at: now))
        }
        return metadata?.state == .destroyed
    }

    // MARK: Changing

    /// Reads a key's row, lets `decide` say what it becomes, and stores that unless the row changed meanwhile; then it
    /// starts again. Uses of the key are revoked before the answer, whatever it is.
    private func change(
        _ keystore: String, _ key: String, _ caller: Caller, _ decide: (KeyRecord, Int64) throws -> Change
    ) async throws -> KeyMetadata {
        try IdentifierRules.checkKey(key)
        return try await translated {
            let keystore = try await open(keystore, caller)
            let address = KeyAddress(keystore: keystore.record.id, key: key)
            defer { openedKeys.revoke(address) }
            for _ in 0..<64 {
                let record = try await row(address, in: keystore)
                switch try decide(record, now) {
                case .nothing: return try Self.metadata(record, in: keystore)
                case .update(var changed):
                    changed.authenticator = try keystore.rows.authenticator(of: changed)
                    guard try await store.updateKey(changed, expecting: record.authenticator) else { continue }
                    return try Self.metadata(changed, in: keystore)
                case .erase(var tombstone):
                    tombstone.authenticator = try keystore.rows.authenticator(of: tombstone)
                    if keystore.vault != nil {
                        guard let erased = try await eraseVaulted(record, as: tombstone, in: keystore) else { continue }
                        return try Self.metadata(erased, in: keystore)
                    }
                    let unwrapped = residentKey(record, in: keystore)
                    guard try await store.eraseKey(tombstone, expecting: record.authenticator) else { continue }
                    openedKeys.revoke(address)
                    await unwrapped?.forget()
                    return try Self.metadata(tombstone, in: keystore)
                }
            }
            throw KMSError(.conflict, "The key '\(key)' is changed by other requests all the time; try again.")
        }
    }

    /// The key inside the token, to be forgotten there; nil for a sealed key and for one that does not open.
    private func residentKey(_ record: KeyRecord, in keystore: OpenKeystore) -> ResidentKey? {
        guard keystore.protection == .resident, let opened = try? openKey(record, in: keystore),
            case .resident(let key) = opened.body
        else { return nil }
        return key
    }

    private static func tombstone(_ record: KeyRecord, at time: Int64) -> KeyRecord {
        var tombstone = record
        tombstone.state = KeyState.destroyed.rawValue
        tombstone.destroyAt = time
        tombstone.publicKey = nil
        tombstone.versions = []
        return tombstone
    }

    private static func ended(_ record: KeyRecord) -> KMSError {
        KMSError(.keyDisabled, "The key '\(record.id)' is \(record.state).")
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
