import Encodings
import LibCrypto
public import SecretMemory

/// A key record as TrustBloc's server stores it: JSON with an encrypted keyset, whose key is locked.
///
/// - Source: the keystore API's specification, sections 9.1 and 9.2.
public struct StoredKeyset: Sendable {
    /// What may have locked a record.
    public enum Lock: Sendable {
        /// The server's key file: nonce, ciphertext and tag.
        case local(SharedSecret)
        /// A keystore's main key: length of the nonce, nonce, ciphertext and tag.
        case key(SharedSecret)
        /// A lock made of shares: as the key file, with the key that ``EnclaveLock/ShamirLock`` derives.
        case shares(SharedSecret)
    }

    private static let nonceLength = 12
    private static let longestEnvelope = 1 << 20

    private let locked: [UInt8]
    private let payload: [UInt8]

    /// - Throws: ``TrustBlocError`` with `.damaged`.
    public init(json: [UInt8]) throws(TrustBlocError) {
        guard let text = (try? JSONNode(reading: json))?["encryptedKeyset"]?.text,
            text.utf8.count <= Self.longestEnvelope / 3 * 4, let bytes = Base64.decode(text), bytes.count > 4
        else { throw TrustBlocError.damaged }
        let length = bytes[..<4].reduce(0) { $0 << 8 | Int($1) }
        guard length > 0, length <= 4096, bytes.count > 4 + length + Self.nonceLength else {
            throw TrustBlocError.damaged
        }
        locked = Array(bytes[4..<(4 + length)])
        payload = Array(bytes[(4 + length)...])
    }

    /// Opens the keyset with the first lock that fits: the serialized keyset.
    ///
    /// - Returns: The keyset and the position of the lock.
    /// - Throws: ``TrustBlocError`` with `.locked` if none does.
    public func open(with locks: [Lock]) throws(TrustBlocError) -> (keyset: SharedSecret, lock: Int) {
        for (position, lock) in locks.enumerated() {
            guard let text = try unlock(lock) else { continue }
            return (try keyset(text), position)
        }
        throw Self.noneFits
    }

    /// Opens the keyset with the server's own lock.
    ///
    /// - Throws: ``TrustBlocError`` with `.locked` if it does not fit; what a remote lock throws.
    public func open(with server: TrustBlocLocks.Server?) async throws -> SharedSecret {
        switch server {
        case nil: throw Self.noneFits
        case .local(let key)?: return try open(with: [.local(key)]).keyset
        case .remote(let ask)?:
            guard let text = try await ask(locked) else { throw Self.noneFits }
            return try keyset(text)
        }
    }

    private static let noneFits = TrustBlocError(.locked, "no given lock opens the record")

    /// - Parameter text: What the lock protects.
    private func keyset(_ text: SharedSecret) throws(TrustBlocError) -> SharedSecret {
        guard let keyset = try Self.open(payload, try Self.dataKey(text)) else { throw TrustBlocError.damaged }
        return keyset
    }

    private func unlock(_ lock: Lock) throws(TrustBlocError) -> SharedSecret? {
        switch lock {
        case .local(let key), .shares(let key): return try Self.open(locked, key)
        case .key(let key):
            guard locked.starts(with: [0, 0, 0, UInt8(Self.nonceLength)]) else { return nil }
            return try Self.open(Array(locked[4...]), key)
        }
    }

    /// Nonce, ciphertext and tag; nil if they do not open.
    private static func open(_ sealed: [UInt8], _ key: SharedSecret) throws(TrustBlocError) -> SharedSecret? {
        guard sealed.count > nonceLength else { return nil }
        do throws(LibCryptoError) {
            return SharedSecret(
                try key.withSecret { key throws(LibCryptoError) in
                    try AEAD.openSecret(
                        Array(sealed[nonceLength...]), key: key, nonce: Array(sealed[..<nonceLength]),
                        associatedData: [], algorithm: .aes256GCM)
                })
        } catch {
            if error.code == .authenticationFailed { return nil }
            throw TrustBlocError(.internalFailure, "\(error)")
        }
    }

    /// The data key in the text a lock protects: base64url of `1a 20` and 32 bytes.
    private static func dataKey(_ text: SharedSecret) throws(TrustBlocError) -> SharedSecret {
        let decoded: SecretBytes?
        do {
            decoded = try text.withUnsafeBytes { try Base64.decodeKey($0, .urlPadded) }
        } catch {
            throw TrustBlocError(.internalFailure, "\(error)")
        }
        guard let key = decoded, key.count == 34, key.withUnsafeBytes({ $0[0] == 0x1A && $0[1] == 0x20 }) else {
            throw TrustBlocError.damaged
        }
        do {
            return SharedSecret(
                try key.withUnsafeBytes { try SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0[2..<34])) })
        } catch {
            throw TrustBlocError(.internalFailure, "\(error)")
        }
    }
}
