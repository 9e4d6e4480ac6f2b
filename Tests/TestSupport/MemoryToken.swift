import LibCrypto
public import SecretMemory
import Synchronization
public import Token

/// A token in memory, for tests that need no device: counts its calls, fails as it is told, and can be taken away.
public final class MemoryToken: Sealing {
    private let key: SharedSecret
    private let failure = Mutex(HSMError?.none)
    private let counts = Mutex((sealed: 0, opened: 0))
    private let delay: Duration
    public let sealingIdentity: String

    /// - Parameter delay: How long an opening takes.
    public init(identity: String = "memory", delay: Duration = .zero) throws {
        key = SharedSecret(try SecretBytes.random(count: 32))
        sealingIdentity = identity
        self.delay = delay
    }

    /// How often it has sealed.
    public var sealed: Int { counts.withLock { $0.sealed } }

    /// How often anything was sealed, or tried to be opened.
    public var calls: Int { counts.withLock { $0.sealed + $0.opened } }

    /// From now on every call fails so; nil ends that.
    public func fail(with error: HSMError?) { failure.withLock { $0 = error } }

    public func takeAway(_ isAway: Bool) {
        fail(with: isAway ? HSMError(.tokenUnavailable, "The token is out of reach.") : nil)
    }

    public func seal(
        _ plaintext: SharedSecret, under role: KeyRole, context: [UInt8]
    ) async throws(HSMError) -> [UInt8] {
        if let failure = failure.withLock({ $0 }) { throw failure }
        counts.withLock { $0.sealed += 1 }
        return try translated {
            let nonce = try Random.bytes(12)
            return [1] + nonce
                + (try plaintext.withSecret { plaintext in
                    try key.withSecret { key in
                        try AEAD.sealSecret(
                            plaintext, key: key, nonce: nonce, associatedData: Array(role.rawValue.utf8) + context,
                            algorithm: .aes256GCM)
                    }
                })
        }
    }

    public func open(
        _ sealed: [UInt8], under role: KeyRole, context: [UInt8]
    ) async throws(HSMError) -> SharedSecret {
        if delay > .zero { try? await Task.sleep(for: delay) }
        if let failure = failure.withLock({ $0 }) { throw failure }
        counts.withLock { $0.opened += 1 }
        guard sealed.count >= 29, sealed[0] == 1 else { throw HSMError(.authenticationFailed, "does not open") }
        return try translated {
            SharedSecret(
                try key.withSecret { key in
                    try AEAD.openSecret(
                        Array(sealed[13...]), key: key, nonce: Array(sealed[1..<13]),
                        associatedData: Array(role.rawValue.utf8) + context, algorithm: .aes256GCM)
                })
        }
    }

    private func translated<R>(_ body: () throws -> R) throws(HSMError) -> R {
        do { return try body() } catch { throw HSMError(.authenticationFailed, "\(error)") }
    }
}
