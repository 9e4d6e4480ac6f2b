import EnclaveLock
import Encodings
import SecretMemory
import WorkingKeys

/// In-process cryptography of the sealed routes.
enum CryptoCells {
    static func measure() throws {
        let message = [UInt8](repeating: 0xa5, count: 256)
        for type in [KeyType.ed25519, .ecdsaP256P1363] {
            let material = try KeyMaterial.generate(type)
            let key = try WorkingKey(versions: [material], primary: 0)
            try BatchTimer.measure("\(type.rawValue): sign 256 bytes") { _ = try key.sign(message) }
            try BatchTimer.measure("\(type.rawValue): make a key", turns: 20) {
                _ = try KeyMaterial.generate(type)
            }
            let stored = try material.serialized()
            try BatchTimer.measure("\(type.rawValue): ready a key from its stored form", turns: 20) {
                _ = try WorkingKey(versions: [try KeyMaterial(deserializing: stored)], primary: 0)
            }
        }
        let cipher = try WorkingKey(versions: [try KeyMaterial.generate(.aes256GCM)], primary: 0)
        for count in [32, 4096] {
            let plaintext = [UInt8](repeating: 0xa5, count: count)
            try BatchTimer.measure("AES256GCM: encrypt \(count) bytes") {
                _ = try cipher.encrypt(plaintext, associatedData: [])
            }
        }
        let key = try SecretBytes.random(count: 32)
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
