import LibCrypto
import SecretMemory
import Synchronization
import Token

/// A token in memory: it counts what it seals, and can be taken away.
final class KeyedToken: Sealing {
    private let key: SharedSecret
    private let state = Mutex((sealed: 0, isAway: false))
    let sealingIdentity: String

    init(_ identity: String) throws {
        key = SharedSecret(try SecretBytes.random(count: 32))
        sealingIdentity = identity
    }

    /// How often it has sealed.
    var count: Int { state.withLock { $0.sealed } }

    func takeAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }

    func seal(_ plaintext: SharedSecret, under role: KeyRole, context: [UInt8]) async throws(HSMError) -> [UInt8] {
        try check()
        state.withLock { $0.sealed += 1 }
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
        try check()
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

    private func check() throws(HSMError) {
        if state.withLock({ $0.isAway }) { throw HSMError(.tokenUnavailable, "The token is out of reach.") }
    }

    private func translated<R>(_ body: () throws -> R) throws(HSMError) -> R {
        do { return try body() } catch { throw HSMError(.authenticationFailed, "\(error)") }
    }
}
