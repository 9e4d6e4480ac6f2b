import LibCrypto
import SecretMemory
import Synchronization
import Token

/// A token in memory for tests that need no device: counts its calls and can be taken away.
final class FakeToken: Sealing {
    private let key: SharedSecret
    private let failure = Mutex(HSMError?.none)
    let sealingIdentity: String
    let delay: Duration

    init(identity: String = "fake:1", delay: Duration = .zero) throws {
        key = SharedSecret(try SecretBytes.random(count: 32))
        sealingIdentity = identity
        self.delay = delay
    }

    func fail(with error: HSMError?) { failure.withLock { $0 = error } }

    func seal(_ plaintext: SharedSecret, under role: KeyRole, context: [UInt8]) async throws(HSMError) -> [UInt8] {
        if let failure = failure.withLock({ $0 }) { throw failure }
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

    func open(_ sealed: [UInt8], under role: KeyRole, context: [UInt8]) async throws(HSMError) -> SharedSecret {
        if delay > .zero { try? await Task.sleep(for: delay) }
        if let failure = failure.withLock({ $0 }) { throw failure }
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
