import Encodings
import LibCrypto
import SecretMemory
import Token

/// Sealing to the public half of a pair whose private half stays in the token: for tokens without AES-GCM.
///
/// version(1) ‖ encapsulation ‖ ciphertext(n) ‖ tag(16). The encapsulation is an ephemeral point (version 3, 65 bytes) or 32
/// random bytes under RSAES-OAEP (version 4, 384 bytes). The key of each value is HKDF-SHA-256 of what only the token gets out
/// of the encapsulation, followed by ``secret``; AES-256-GCM with a nonce of zeros, since a key seals one value.
///
/// Whoever knows the public half can make an encapsulation, so the secret is what makes a value authentic: it is in the
/// manifest, sealed, and only the token opens it.
struct PublicSealing: Sendable {
    let half: SealingHalf
    /// 32 bytes; nil only to seal or open that secret itself.
    let secret: SharedSecret?

    /// Bytes that what is sealed is longer than the secret.
    var overhead: Int { 1 + half.encapsulationLength + Mechanism.gcmTagLength }

    /// Seals in this process; the token is not asked.
    ///
    /// - Throws: `.overloaded` without locked memory; `.deviceFailure` if libcrypto fails.
    func seal(_ plaintext: SharedSecret, context: [UInt8]) throws(HSMError) -> [UInt8] {
        let (shared, encapsulation) = try half.encapsulate()
        let key = try key(shared, encapsulation, context)
        let body = try Self.computing { () throws(LibCryptoError) in
            try plaintext.withSecret { plaintext throws(LibCryptoError) in
                try key.withSecret { key throws(LibCryptoError) in
                    try AEAD.sealSecret(
                        plaintext, key: key, nonce: Self.nonce, associatedData: [half.version] + context,
                        algorithm: .aes256GCM)
                }
            }
        }
        return [half.version] + encapsulation + body
    }

    /// Opens with the token's private half.
    ///
    /// - Throws: ``HSMError/notAuthentic`` for whatever is wrong with the input, or what the module said.
    func open(
        _ sealed: [UInt8], session: borrowing Session, key privateKey: ObjectHandle, context: [UInt8]
    ) throws(HSMError) -> SharedSecret {
        guard sealed.count >= overhead, sealed[0] == half.version else { throw HSMError.notAuthentic }
        let encapsulation = Array(sealed[1...half.encapsulationLength])
        let shared = try half.decapsulate(encapsulation, session: session, key: privateKey)
        let key = try key(shared, encapsulation, context)
        return try Self.computing { () throws(LibCryptoError) in
            try key.withSecret { key throws(LibCryptoError) in
                SharedSecret(
                    try AEAD.openSecret(
                        Array(sealed[(1 + half.encapsulationLength)...]), key: key, nonce: Self.nonce,
                        associatedData: [half.version] + context, algorithm: .aes256GCM))
            }
        }
    }

    /// What is sealed opens with the private half, as it went in. Also shows that the two halves belong together.
    func isProved(by privateKey: ObjectHandle, session: borrowing Session) throws(HSMError) -> Bool {
        let challenge = try WrappingSentinel.randomSecret()
        let context = SystemRandom.bytes(16)
        let sealed = try seal(challenge, context: context)
        do throws(HSMError) {
            let opened = try open(sealed, session: session, key: privateKey, context: context)
            return challenge.withSecret { challenge in opened.withSecret { challenge.constantTimeEquals($0) } }
        } catch {
            guard error.code == .authenticationFailed, error.cause == nil else { throw error }
            return false
        }
    }

    private static let nonce = [UInt8](repeating: 0, count: Mechanism.gcmIVLength)

    /// Both halves of the exchange and the context are in the info, so neither can be exchanged for another.
    private func key(
        _ shared: SharedSecret, _ encapsulation: [UInt8], _ context: [UInt8]
    ) throws(HSMError) -> SharedSecret {
        var fields = RecordFields(.publicSeal)
        fields.append(half.kind.rawValue)
        fields.append(half.bytes)
        fields.append(encapsulation)
        fields.append(UInt64(secret == nil ? 0 : 1))
        fields.append(context)
        let bytes = fields.bytes
        let input = secret == nil ? shared : try joined(shared)
        return try Self.computing { () throws(LibCryptoError) in
            // A digest, because libcrypto bounds the length of an info.
            let info = try Digest.sha256(bytes)
            return try input.withSecret { input throws(LibCryptoError) in
                SharedSecret(try HKDF.sha256(inputKey: input, salt: [], info: info, count: 32))
            }
        }
    }

    private func joined(_ shared: SharedSecret) throws(HSMError) -> SharedSecret {
        guard let secret else { return shared }
        do {
            return SharedSecret(
                try shared.withSecret { shared in
                    try secret.withSecret { secret in
                        try SecretBytes.make(count: shared.count + secret.count) { output in
                            shared.withUnsafeBytes { output.copyMemory(from: $0) }
                            let rest = UnsafeMutableRawBufferPointer(rebasing: output[shared.count...])
                            secret.withUnsafeBytes { rest.copyMemory(from: $0) }
                        }
                    }
                })
        } catch {
            throw HSMError(.overloaded, "No locked memory for a secret: \(error).")
        }
    }

    /// libcrypto's errors as those of a token.
    static func computing<R>(_ body: () throws(LibCryptoError) -> R) throws(HSMError) -> R {
        do throws(LibCryptoError) {
            return try body()
        } catch {
            switch error.code {
            case .authenticationFailed: throw HSMError.notAuthentic
            case .capacityExceeded: throw HSMError(.overloaded, "No locked memory for a secret: \(error.message)")
            default: throw HSMError(.deviceFailure, "Sealing to a public key failed: \(error.message)")
            }
        }
    }
}
