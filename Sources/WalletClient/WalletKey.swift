import Encodings
import LibCrypto
import Pairing
public import SecretMemory

/// A secret key of a wallet, or one of the shares it was split into, in locked memory.
///
/// - Concurrency: immutable; any thread.
public struct WalletKey: Sendable {
    /// 32 bytes in the suite's order.
    let scalar: SharedSecret
    public let suite: WalletSuite
    /// Encoded; for a whole wallet this is its client key.
    public let publicKey: [UInt8]

    /// - Throws: `.invalidInput` for anything but 32 bytes in 1 ..< r.
    init(scalar: SharedSecret, suite: WalletSuite = .zeroChain) throws(WalletError) {
        do throws(PairingError) {
            publicKey = try scalar.withUnsafeBytes { bytes throws(PairingError) in
                try suite.scheme.encodedPublicKey(of: bytes)
            }
        } catch {
            throw WalletError(.invalidInput, "A secret key is a number from 1 to r - 1, in 32 bytes: \(error)")
        }
        self.scalar = scalar
        self.suite = suite
    }

    /// Lower-case hexadecimal.
    public var publicKeyText: String { Hexadecimal.encode(publicKey) }

    /// The id of the wallet whose whole key this is: SHA3-256 of the public key.
    public func clientID() throws(WalletError) -> String {
        do throws(LibCryptoError) {
            return Hexadecimal.encode(try Digest.sha3of256(publicKey))
        } catch {
            throw WalletError(.internalFailure, "SHA3-256 failed: \(error)")
        }
    }

    /// Signs a hash of 32 bytes, given in hexadecimal. By a share this is a partial signature.
    ///
    /// - Parameter purpose: Without effect in a suite without tags.
    public func sign(hash: String, purpose: WalletSuite.Purpose = .message) throws(WalletError) -> String {
        let message = try WalletText.decode(hash, count: 32, "A hash")
        do throws(PairingError) {
            return Hexadecimal.encode(
                try scalar.withUnsafeBytes { bytes throws(PairingError) in
                    try suite.scheme.sign(message, purpose: purpose.rawValue, secretKey: bytes)
                })
        } catch {
            throw WalletError(.internalFailure, "The hash could not be signed: \(error)")
        }
    }

    /// Shares that add up to the key; all but the last are random, none is 0.
    ///
    /// - Parameter count: 2 to 16.
    public func split(_ count: Int) throws(WalletError) -> [WalletKey] {
        guard (2...16).contains(count) else { throw WalletError(.invalidInput, "A key is split into 2 to 16 shares.") }
        let shares: SharedSecret
        do {
            shares = SharedSecret(
                try SecretBytes.make(count: 32 * count) { output in
                    try scalar.withUnsafeBytes { scalar in
                        try suite.scheme.split(scalar, count: count, into: output) { target in
                            try SecretBytes.random(count: target.count).withUnsafeBytes {
                                target.copyMemory(from: $0)
                            }
                        }
                    }
                })
        } catch {
            throw WalletError(.internalFailure, "The key could not be split: \(error)")
        }
        var keys: [WalletKey] = []
        for index in 0..<count {
            let share: SharedSecret
            do throws(SecretMemoryError) {
                share = SharedSecret(
                    try shares.withUnsafeBytes { bytes throws(SecretMemoryError) in
                        try SecretBytes(
                            copying: UnsafeRawBufferPointer(rebasing: bytes[(32 * index)..<(32 * index + 32)]))
                    })
            } catch {
                throw WalletError(.internalFailure, "No locked memory for a share: \(error)")
            }
            keys.append(try WalletKey(scalar: share, suite: suite))
        }
        return keys
    }

    /// The secret as its file has it: 64 hexadecimal digits and a line break, in locked memory.
    public func fileContent() throws(WalletError) -> SecretBytes {
        do {
            return try SecretBytes.make(count: 65) { output in
                scalar.withUnsafeBytes { bytes in
                    for index in 0..<32 {
                        (output[2 * index], output[2 * index + 1]) = SecretHexadecimal.digits(bytes[index])
                    }
                }
                output[64] = 0x0a
            }
        } catch {
            throw WalletError(.internalFailure, "No locked memory for a key: \(error)")
        }
    }
}
