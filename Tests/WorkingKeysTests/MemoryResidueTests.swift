import Glibc
import SecretMemory
import TestSupport
import Testing
import WorkingKeys

/// What a key leaves in memory after its death: nothing. Each case runs in a process of its own.
@Suite(.timeLimit(.minutes(10))) struct MemoryResidueTests {
    /// Every type whose secret passes through other code.
    @Test(arguments: [
        KeyType.ed25519, .ecdsaP256DER, .ecdsaP256P1363, .ecdsaP384P1363, .ecdsaP521DER, .ecdsaSecp256k1P1363,
        .aes128GCM, .aes256GCM, .chaCha20Poly1305, .xChaCha20Poly1305, .hmacSHA256Tag256, .nistP256ECDHKW,
        .x25519ECDHKW, .bls12381G2,
    ]) func aDeadKeyLeavesNoCopy(_ type: KeyType) async {
        await #expect(processExitsWith: .success) { [name = type.rawValue as String] in
            guard let type = KeyType(rawValue: name) else { exit(2) }
            let inverted = try Canary.inverted(type)
            let scan = MemoryScan(inverted: Array(inverted.dropFirst()))
            guard try scan.count() == 0 else { exit(3) }
            let alive = try Canary.live(type, inverted, scan)
            // The control: the search does find a living key.
            guard alive > 0 else { exit(4) }
            let left = try scan.count()
            if left != 0 { print("\(name): \(left) copies left") }
            guard left == 0 else { exit(5) }
        }
    }
}

/// A key with a secret that the search can recognise.
enum Canary {
    /// A random secret of the type, every bit flipped. The part that is searched for has no zero byte.
    static func inverted(_ type: KeyType) throws -> [UInt8] {
        // The first byte 0x00 keeps every scalar below its curve's order.
        [0xFF] + (1..<type.secretLength).map { _ in UInt8.random(in: 1...254) }
    }

    /// Reads, uses and drops a key; tells how many copies of its secret there were while it lived.
    @inline(never)
    static func live(_ type: KeyType, _ inverted: [UInt8], _ scan: MemoryScan) throws -> Int {
        let material = try material(type, inverted)
        let stored = try material.serialized()
        let key = try WorkingKey(versions: [KeyMaterial(deserializing: stored), material], primary: 0)
        let message: [UInt8] = [1, 2, 3]
        for _ in 0..<3 {
            if type.operations.contains(.sign) {
                try key.verify(signature: key.sign(message), message: message)
            } else if type.operations.contains(.encrypt) {
                let (ciphertext, nonce) = try key.encrypt(message, associatedData: message)
                _ = try key.decrypt(ciphertext: ciphertext, nonce: nonce, associatedData: message)
            } else if let curve = type.agreementCurve {
                let own = try AgreementPublicKey(curve: curve, raw: key.primary.rawPublicKey ?? [])
                let wrapped = try KeyWrapping.wrap(SecretBytes.random(count: 32), for: own, apu: [], apv: [])
                _ = try KeyWrapping.unwrap(wrapped, with: key, sender: nil, tag: [])
            } else if type.operations.contains(.signMulti) {
                let cache = BBSGeneratorCache()
                let signature = try key.signMulti([message], generators: cache)
                try key.verifyMulti(signature, messages: [message], generators: cache)
            } else {
                try key.verifyMAC(key.mac(message), data: message)
            }
        }
        let alive = try scan.count()
        return withExtendedLifetime(key) { alive }
    }

    private static func material(_ type: KeyType, _ inverted: [UInt8]) throws -> KeyMaterial {
        let secret = try SecretBytes.make(count: inverted.count) { output in
            for index in inverted.indices { output[index] = ~inverted[index] }
        }
        return try KeyMaterial(type: type, prefixID: type.hasOutputPrefix ? 7 : nil, secret: secret)
    }
}
