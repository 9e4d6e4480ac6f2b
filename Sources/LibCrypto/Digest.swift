internal import CLibCrypto
public import SecretMemory

/// SHA-2 (FIPS 180-4) and SHA-3 (FIPS 202) of whole messages.
///
/// - Concurrency: any thread, no shared state.
public enum Digest {
    /// 32 bytes.
    public static func sha256(_ data: [UInt8]) throws(LibCryptoError) -> [UInt8] { try hash(data, .sha256) }
    /// 48 bytes.
    public static func sha384(_ data: [UInt8]) throws(LibCryptoError) -> [UInt8] { try hash(data, .sha384) }
    /// 64 bytes.
    public static func sha512(_ data: [UInt8]) throws(LibCryptoError) -> [UInt8] { try hash(data, .sha512) }

    /// 32 bytes of a secret, which stay one.
    public static func sha256(secret: borrowing SecretBytes) throws(LibCryptoError) -> SecretBytes {
        try secret.withUnsafeBytes { secret throws(LibCryptoError) in
            try SecretBytes.filled(32) { output throws(LibCryptoError) in try hash(secret, .sha256, into: output) }
        }
    }

    /// 32 bytes of a secret, which stay one.
    public static func sha3of256(secret: borrowing SecretBytes) throws(LibCryptoError) -> SecretBytes {
        try secret.withUnsafeBytes { secret throws(LibCryptoError) in
            try SecretBytes.filled(32) { output throws(LibCryptoError) in try hash(secret, .sha3of256, into: output) }
        }
    }

    /// 32 bytes.
    public static func sha3of256(_ data: [UInt8]) throws(LibCryptoError) -> [UInt8] { try hash(data, .sha3of256) }

    enum Function {
        case sha256, sha384, sha512, sha3of256

        var length: Int {
            switch self {
            case .sha256, .sha3of256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }

        fileprivate var algorithm: Algorithms.Fetched {
            switch self {
            case .sha256: Algorithms.sha256
            case .sha384: Algorithms.sha384
            case .sha512: Algorithms.sha512
            case .sha3of256: Algorithms.sha3of256
            }
        }
    }

    static func hash(_ data: [UInt8], _ function: Function) throws(LibCryptoError) -> [UInt8] {
        try [UInt8].filled(function.length) { output throws(LibCryptoError) in
            try data.lend { data throws(LibCryptoError) in try hash(data, function, into: output) }
        }
    }

    /// `output` has exactly the digest's length.
    static func hash(
        _ data: UnsafeRawBufferPointer, _ function: Function, into output: UnsafeMutableRawBufferPointer
    ) throws(LibCryptoError) {
        precondition(output.count == function.length, "a digest buffer has the digest's length")
        try OpenSSL.check(
            "EVP_Digest",
            EVP_Digest(data.baseAddress, data.count, output.bytes, nil, function.algorithm.pointer, nil))
    }
}
