import EnclaveLock
import LibCrypto
import SecretMemory

/// In-process cryptography of the sealed routes.
enum CryptoCells {
    static func measure() throws {
        let message = [UInt8](repeating: 0xa5, count: 256)
        for curve in [SigningCurve.ed25519, .p256] {
            let key = try SigningKey.generate(curve)
            try BatchTimer.measure("\(curve.rawValue): sign 256 bytes") { _ = try key.sign(message) }
            try BatchTimer.measure("\(curve.rawValue): make a key", turns: 20) {
                _ = try SigningKey.generate(curve)
            }
        }
        let key = try SecretBytes.random(count: 32)
        for count in [32, 4096] {
            let plaintext = [UInt8](repeating: 0xa5, count: count)
            let nonce = try Random.bytes(12)
            try BatchTimer.measure("AES-256-GCM: encrypt \(count) bytes") {
                _ = try AEAD.seal(plaintext, key: key, nonce: nonce, associatedData: [], algorithm: .aes256GCM)
            }
        }
        let identity = RecordIdentity(
            tenant: "", keystore: "c9o5vqkv5ig3jl0q9m3g", key: "k", type: "ED25519", version: 1)
        let secret = try SecretBytes.random(count: 64)
        try BatchTimer.measure("envelope: seal a key") {
            _ = try Envelope.seal(secret, lockKey: key, identity: identity)
        }
        let sealed = try Envelope.seal(secret, lockKey: key, identity: identity)
        try BatchTimer.measure("envelope: open a key") {
            _ = try Envelope.open(sealed, lockKey: key, identity: identity).count
        }
    }
}
