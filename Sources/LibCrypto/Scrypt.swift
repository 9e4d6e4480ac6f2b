internal import CLibCrypto
public import SecretMemory

/// scrypt (RFC 7914).
public enum Scrypt {
    /// What one derivation costs.
    public struct Cost: Sendable, Hashable {
        /// N is 2 to this power, 1 to 20.
        public var logN: UInt8
        /// r; the memory is 128 · N · r bytes.
        public var blockSize: UInt8
        /// p.
        public var parallelism: UInt8

        public init(logN: UInt8, blockSize: UInt8, parallelism: UInt8) {
            self.logN = logN
            self.blockSize = blockSize
            self.parallelism = parallelism
        }

        /// 64 MiB, about a quarter of a second.
        public static let interactive = Cost(logN: 16, blockSize: 8, parallelism: 1)

        var isBounded: Bool {
            (1...20).contains(logN) && (1...32).contains(blockSize) && (1...16).contains(parallelism)
                && memory <= 1 << 28
        }

        fileprivate var memory: UInt64 { 128 * (UInt64(1) << UInt64(logN)) * UInt64(blockSize) }
    }

    /// Derives a key from a passphrase.
    ///
    /// - Parameters:
    ///   - count: Bytes wanted, 1 to 1024.
    /// - Throws: `.invalidInput` for an empty passphrase or salt, or a cost of more than 256 MiB.
    /// - Concurrency: blocks for the time of the cost; call it off the cooperative pool. The memory it works in is the
    ///   library's, which wipes it.
    public static func derive(
        passphrase: borrowing SecretBytes, salt: [UInt8], cost: Cost, count: Int
    ) throws(LibCryptoError) -> SecretBytes {
        guard passphrase.count > 0, !salt.isEmpty, cost.isBounded, (1...1024).contains(count) else {
            throw LibCryptoError(.invalidInput, "scrypt needs a passphrase, a salt and a cost of at most 256 MiB.")
        }
        return try passphrase.withUnsafeBytes { passphrase throws(LibCryptoError) in
            try SecretBytes.filled(count) { output throws(LibCryptoError) in
                try LibCrypto.prepare()
                let status = salt.withUnsafeBufferPointer { salt in
                    EVP_PBE_scrypt(
                        passphrase.baseAddress?.assumingMemoryBound(to: CChar.self), passphrase.count,
                        salt.baseAddress, salt.count, UInt64(1) << UInt64(cost.logN), UInt64(cost.blockSize),
                        UInt64(cost.parallelism), cost.memory + (1 << 24), output.bytes, output.count)
                }
                try OpenSSL.check("EVP_PBE_scrypt", status)
            }
        }
    }
}
