import EnclaveLock
import Encodings
import SecretMemory
import Synchronization

/// A lock over a key in memory: counts what it is asked and can be taken away.
final class InMemoryLock: SecretLock {
    private let key: SharedSecret
    private let state = Mutex((opened: 0, failure: EnclaveLockError?.none))
    let kind = LockKind.token
    let identity: String

    /// - Parameter keyByte: 32 times this byte is the key, so that a second process can have the same lock.
    init(keyByte: UInt8 = 7, identity: String = "memory:1") throws {
        key = SharedSecret(
            try SecretBytes.make(count: 32) { $0.copyBytes(from: [UInt8](repeating: keyByte, count: 32)) })
        self.identity = identity
    }

    /// How often a secret was opened.
    var opened: Int { state.withLock { $0.opened } }
    func fail(with error: EnclaveLockError?) { state.withLock { $0.failure = error } }

    func seal(
        _ secret: SharedSecret, identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> [UInt8] {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        return try secret.withSecret { secret throws(EnclaveLockError) in
            try key.withSecret { key throws(EnclaveLockError) in
                try Envelope.seal(secret, lockKey: key, identity: identity)
            }
        }
    }

    func open(
        _ sealed: [UInt8], identity: RecordIdentity, caller _: CallerShare?
    ) async throws(EnclaveLockError) -> SharedSecret {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        state.withLock { $0.opened += 1 }
        return SharedSecret(
            try key.withSecret { key throws(EnclaveLockError) in
                try Envelope.open(sealed, lockKey: key, identity: identity)
            })
    }
}
