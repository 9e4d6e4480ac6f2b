import Encodings
import LibCrypto
import Pairing
public import SecretMemory

/// What a person has of a wallet: words, or a key in hexadecimal.
public enum WalletSeed {
    /// Of 0Chain's wallets that can be split.
    public static let passphrase = "0chain-client-split-key"

    /// Reads a secret key: 64 hexadecimal digits (in the suite's order of bytes), or 12 to 24 words of a mnemonic of 0Chain's.
    ///
    /// The words are not looked up and their checksum is not checked, as in 0Chain's clients: a mistyped word gives
    /// another wallet, whose id differs.
    ///
    /// - Parameter passphrase: ASCII, as the words; appended to BIP-39's salt.
    /// - Throws: `.invalidInput`.
    public static func read(
        _ text: borrowing SecretBytes, passphrase: borrowing SecretBytes, suite: WalletSuite = .zeroChain
    ) throws(WalletError) -> WalletKey {
        let words = try squeezed(text)
        if words.spaces == 0 { return try WalletKey(scalar: hexadecimal(words.text), suite: suite) }
        guard suite == .zeroChain else {
            throw WalletError(.invalidInput, "A key of the suite \(suite.rawValue) is 64 hexadecimal digits, no words.")
        }
        guard [11, 14, 17, 20, 23].contains(words.spaces) else {
            throw WalletError(.invalidInput, "A mnemonic has 12, 15, 18, 21 or 24 words, not \(words.spaces + 1).")
        }
        return try WalletKey(scalar: scalar(of: words.text, passphrase))
    }

    /// Lower-case letters and digits with one space between words. Whatever else there is would have to be normalised,
    /// which no library does in locked memory.
    private static func squeezed(_ text: borrowing SecretBytes) throws(WalletError) -> (text: SharedSecret, spaces: Int)
    {
        var isPlain = true
        var spaces = 0
        let made = Self.make(capacity: text.count) { output in
            text.withUnsafeBytes { input in
                var count = 0
                for byte in input {
                    let isSpace = byte == 0x20 || (0x09...0x0d).contains(byte)
                    if isSpace {
                        if count > 0, output[count - 1] != 0x20 {
                            output[count] = 0x20
                            count += 1
                        }
                        continue
                    }
                    isPlain = isPlain && (0x21...0x7e).contains(byte)
                    output[count] = byte
                    count += 1
                }
                if count > 0, output[count - 1] == 0x20 { count -= 1 }
                spaces = output[..<count].count { $0 == 0x20 }
                return count
            }
        }
        guard let made else { throw noMemory }
        guard isPlain, made.count > 0 else {
            throw WalletError(.invalidInput, "A mnemonic or key is English words or hexadecimal digits, all ASCII.")
        }
        return (made, spaces)
    }

    private static func hexadecimal(_ text: SharedSecret) throws(WalletError) -> SharedSecret {
        guard text.count == 64 else {
            throw WalletError(
                .invalidInput, "A secret key has 64 hexadecimal digits, not \(text.count) characters in one word.")
        }
        var isHexadecimal = true
        let made = make(capacity: 32) { output in
            text.withUnsafeBytes { digits in
                for index in 0..<32 {
                    let (high, low) = (
                        Hexadecimal.value(digits[2 * index], .either), Hexadecimal.value(digits[2 * index + 1], .either)
                    )
                    isHexadecimal = isHexadecimal && high != nil && low != nil
                    output[index] = (high ?? 0) << 4 | (low ?? 0)
                }
            }
            return 32
        }
        guard let made else { throw noMemory }
        guard isHexadecimal else {
            throw WalletError(.invalidInput, "A secret key has characters that are no hexadecimal digits.")
        }
        return made
    }

    /// BIP-39's seed, of which the first 32 bytes are imported with a mask.
    private static func scalar(
        of words: SharedSecret, _ passphrase: borrowing SecretBytes
    ) throws(WalletError) -> SharedSecret {
        guard passphrase.withUnsafeBytes({ $0.allSatisfy { (0x20...0x7e).contains($0) } }) else {
            throw WalletError(.invalidInput, "A passphrase is ASCII.")
        }
        let prefix = Array("mnemonic".utf8)
        let salt = make(capacity: prefix.count + passphrase.count) { output in
            output.copyBytes(from: prefix)
            passphrase.withUnsafeBytes { passphrase in
                for index in 0..<passphrase.count { output[prefix.count + index] = passphrase[index] }
            }
            return prefix.count + passphrase.count
        }
        guard let salt else { throw noMemory }
        do {
            let seed = try words.withSecret { words in
                try salt.withSecret { salt in
                    try PBKDF2.sha512(password: words, salt: salt, iterations: 2048, count: 64)
                }
            }
            return SharedSecret(
                try SecretBytes.make(count: 32) { output in
                    try seed.withUnsafeBytes { try BLS0Chain.importMasked($0, into: output) }
                })
        } catch {
            throw WalletError(.internalFailure, "The mnemonic's seed could not be computed: \(error)")
        }
    }

    private static func make(
        capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int
    ) -> SharedSecret? {
        do { return SharedSecret(try SecretBytes.make(capacity: capacity + 1, fill)) } catch { return nil }
    }

    private static var noMemory: WalletError { WalletError(.internalFailure, "No locked memory for a secret.") }
}
