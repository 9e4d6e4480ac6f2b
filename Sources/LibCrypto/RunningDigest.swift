internal import CLibCrypto

/// A digest of a message that comes in pieces.
///
/// - Concurrency: one task at a time.
public struct RunningDigest: ~Copyable {
    public enum Function: Sendable { case sha256, sha3of256 }

    private let context: OpaquePointer
    private static let length = 32

    private init(owning context: OpaquePointer) { self.context = context }

    /// - Throws: `.internalFailure`.
    public static func begin(_ function: Function) throws(LibCryptoError) -> RunningDigest {
        let algorithm = function == .sha256 ? Algorithms.sha256 : Algorithms.sha3of256
        // From here a throw runs `deinit`, which frees.
        let digest = RunningDigest(owning: try OpenSSL.check("EVP_MD_CTX_new", EVP_MD_CTX_new()))
        try OpenSSL.check("EVP_DigestInit_ex2", EVP_DigestInit_ex2(digest.context, algorithm.pointer, nil))
        return digest
    }

    deinit { EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) throws(LibCryptoError) {
        try OpenSSL.check("EVP_DigestUpdate", EVP_DigestUpdate(context, bytes.baseAddress, bytes.count))
    }

    public mutating func update(_ bytes: [UInt8]) throws(LibCryptoError) {
        let context = context
        try bytes.lend { bytes throws(LibCryptoError) in
            try OpenSSL.check("EVP_DigestUpdate", EVP_DigestUpdate(context, bytes.baseAddress, bytes.count))
        }
    }

    /// 32 bytes; the digest is spent.
    public consuming func finish() throws(LibCryptoError) -> [UInt8] {
        let context = context
        return try [UInt8].filled(Self.length) { output throws(LibCryptoError) in
            try OpenSSL.check("EVP_DigestFinal_ex", EVP_DigestFinal_ex(context, output.bytes, nil))
        }
    }
}
