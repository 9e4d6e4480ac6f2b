import InclusionProofs

/// What a chain calls a ciphertext.
public enum Handles {
    /// Keccak-256 of the ciphertext's bytes as they came: a proof of a handle is a proof of these very bytes.
    public static func handle(of ciphertext: [UInt8]) -> [UInt8] { keccak(ciphertext) }

    static func keccak(_ bytes: some Collection<UInt8>) -> [UInt8] { Keccak256.hash(bytes) }
}
