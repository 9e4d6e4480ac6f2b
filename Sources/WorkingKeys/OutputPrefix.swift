import LibCrypto

/// The five bytes that name a key version in front of some outputs: 0x01, then the version's id, big-endian.
///
/// Keys of TrustBloc stores have them (Tink's "TINK" output prefix), so signatures and MACs keep their form when keys move.
/// They stay visible on MACs and secp256k1 signatures; ciphertexts go without.
public enum OutputPrefix {
    /// Bytes.
    public static let length = 5

    /// The prefix of a version.
    public static func bytes(_ id: UInt32) -> [UInt8] {
        [0x01, UInt8(truncatingIfNeeded: id >> 24), UInt8(truncatingIfNeeded: id >> 16)]
            + [UInt8(truncatingIfNeeded: id >> 8), UInt8(truncatingIfNeeded: id)]
    }

    /// Splits an output that starts with a prefix; nil if it does not, or is nothing but a prefix.
    public static func split(_ output: [UInt8]) -> (id: UInt32, body: [UInt8])? {
        guard output.count > length, output[0] == 0x01 else { return nil }
        let id = output[1..<length].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return (id, Array(output[length...]))
    }

    /// Draws an id for a new version; never 0.
    public static func randomID() throws(WorkingKeyError) -> UInt32 {
        while true {
            let bytes = try WorkingKeyError.translating { () throws(LibCryptoError) in try Random.bytes(4) }
            let id = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            if id != 0 { return id }
        }
    }
}
