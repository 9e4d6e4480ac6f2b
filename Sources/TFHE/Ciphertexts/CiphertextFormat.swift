/// How a ciphertext was written down. The caller says which one it expects; nothing is guessed from the bytes.
///
/// Source: tfhe-rs, the serialisation of `FheUint` and `FheBool` in the versions named; Concrete 2.11.0's bridge.
public enum CiphertextFormat: String, Sendable, Hashable, CaseIterable {
    /// tfhe-rs 0.4 with plain bincode; numbers only (its booleans are another scheme).
    case raw04 = "raw-0.4"
    /// tfhe-rs 0.5 and 0.6 with plain bincode.
    case raw06 = "raw-0.6"
    /// tfhe-rs 0.6 with `safe_serialize`.
    case safe03 = "safe-0.3"
    /// tfhe-rs 1.x with plain bincode.
    case raw1 = "raw-1.x"
    /// tfhe-rs 1.x with `safe_serialize`; Concrete's single numbers, too.
    case safe05 = "safe-0.5"
    /// One member of Concrete's array of two or more numbers; read with ``Ciphertext/array(_:of:count:)``.
    case concreteArray = "concrete-array"
}

/// What a ciphertext encrypts.
public enum ValueType: Sendable, Hashable, CustomStringConvertible {
    case bool
    /// 2 to 256 bits.
    case unsigned(bits: Int)
    /// Two's complement of 2 to 256 bits.
    case signed(bits: Int)

    /// Bits of the value: 1 for a truth value.
    public var bits: Int {
        switch self {
        case .bool: 1
        case .unsigned(let bits), .signed(let bits): bits
        }
    }

    /// Bytes of the decrypted value, little-endian: the width rounded up to bytes.
    public var byteCount: Int { (bits + 7) / 8 }

    public var description: String {
        switch self {
        case .bool: "FheBool"
        case .unsigned(let bits): "FheUint\(bits)"
        case .signed(let bits): "FheInt\(bits)"
        }
    }

    /// As the safe framings name it; the width is not in the name.
    var wireName: String {
        switch self {
        case .bool: "high_level_api::FheBool"
        case .unsigned: "high_level_api::FheUint"
        case .signed: "high_level_api::FheInt"
        }
    }

    /// Blocks that a value takes when each holds `messageModulus` (a power of two).
    ///
    /// - Throws: ``TFHEError`` (`tfhe-unsupported`) for a width out of bounds or one that blocks do not divide.
    func blockCount(messageModulus: UInt64) throws(TFHEError) -> Int {
        if self == .bool { return 1 }
        let perBlock = messageModulus.trailingZeroBitCount
        guard (2...256).contains(bits), perBlock > 0, bits % perBlock == 0 else {
            throw .unsupported("\(self) is not a number of whole blocks of message modulus \(messageModulus)")
        }
        return bits / perBlock
    }
}

/// Which of a client's two secrets encrypted.
///
/// Source: tfhe-rs, `PBSOrder` and `EncryptionKeyChoice`.
public enum KeyOrder: UInt32, Sendable, Hashable, CustomStringConvertible {
    /// Keyswitch first: the big key, which is the GLWE secret read as one vector.
    case big = 0
    /// Bootstrap first: the small LWE key.
    case small = 1

    public var description: String { self == .big ? "big key" : "small key" }
}
