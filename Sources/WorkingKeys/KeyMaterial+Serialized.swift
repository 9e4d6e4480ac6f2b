import LibCrypto
public import SecretMemory

/// Key material, format 1: what is sealed and stored.
///
/// | offset | bytes | content |
/// |---|---|---|
/// | 0 | 2 | 0x4B 0x4D ("KM") |
/// | 2 | 1 | format, 0x01 |
/// | 3 | 1 | type code |
/// | 4 | 1 | flags: bit 0 set if the version has a prefix id, all other bits 0 |
/// | 5 | 4 | prefix id, big-endian; 0 if flag bit 0 is clear |
/// | 9 | 2 | length n of the secret, big-endian; fixed by the type |
/// | 11 | n | secret: a symmetric key, an Ed25519 seed, or a scalar, big-endian, as wide as the group order |
///
/// Nothing follows the secret. A reader refuses every other value; type codes are listed in docs/FORMATS.md. The format has
/// no check value of its own: it is only ever stored under authenticated encryption.
extension KeyMaterial {
    private static let header = 11

    /// Writes format 1 into locked memory.
    ///
    /// - Throws: `.internalFailure`.
    public func serialized() throws(WorkingKeyError) -> SecretBytes {
        switch secret {
        case .symmetric(let bytes):
            return try bytes.withSecret { secret throws(WorkingKeyError) in try write(secret) }
        case .signing(let key):
            let secret = try WorkingKeyError.translating { () throws(LibCryptoError) in try key.privateKey() }
            return try write(secret)
        case .agreement(let key):
            let secret = try WorkingKeyError.translating { () throws(LibCryptoError) in try key.privateKey() }
            return try write(secret)
        case .multiMessage(let key):
            return try key.secret.withSecret { secret throws(WorkingKeyError) in try write(secret) }
        }
    }

    /// Reads format 1.
    ///
    /// - Throws: `.internalFailure` for anything that is not format 1; `.capacityExceeded`.
    public init(deserializing bytes: borrowing SecretBytes) throws(WorkingKeyError) {
        let fields = try bytes.withUnsafeBytes { bytes throws(WorkingKeyError) in try Fields(bytes) }
        let secret: SecretBytes
        do {
            secret = try bytes.withUnsafeBytes { bytes throws(SecretMemoryError) in
                try SecretBytes(copying: UnsafeRawBufferPointer(rebasing: bytes[Self.header...]))
            }
        } catch {
            throw WorkingKeyError(.internalFailure, error.description)
        }
        do throws(WorkingKeyError) {
            try self.init(type: fields.type, prefixID: fields.prefixID, secret: secret)
        } catch {
            // A wrong scalar in storage is damage, not the caller's mistake.
            throw error.code == .invalidArgument ? Fields.damaged : error
        }
    }

    private func write(_ secret: borrowing SecretBytes) throws(WorkingKeyError) -> SecretBytes {
        let id = prefixID ?? 0
        let length = secret.count
        let header: [UInt8] = [
            0x4B, 0x4D, 0x01, type.storedCode, prefixID == nil ? 0 : 1,
            UInt8(truncatingIfNeeded: id >> 24), UInt8(truncatingIfNeeded: id >> 16),
            UInt8(truncatingIfNeeded: id >> 8), UInt8(truncatingIfNeeded: id),
            UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length),
        ]
        do {
            return try SecretBytes.make(count: Self.header + length) { output in
                output.copyBytes(from: header)
                secret.withUnsafeBytes { secret in
                    UnsafeMutableRawBufferPointer(rebasing: output[Self.header...]).copyMemory(from: secret)
                }
            }
        } catch {
            throw WorkingKeyError(.capacityExceeded, "\(error)")
        }
    }

    private struct Fields {
        let type: KeyType
        let prefixID: UInt32?

        init(_ bytes: UnsafeRawBufferPointer) throws(WorkingKeyError) {
            guard bytes.count > KeyMaterial.header, bytes[0] == 0x4B, bytes[1] == 0x4D else { throw Self.damaged }
            guard bytes[2] == 0x01 else {
                throw WorkingKeyError(.internalFailure, "The key material is of a format this version does not know.")
            }
            let id = bytes[5..<9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let length = Int(bytes[9]) << 8 | Int(bytes[10])
            guard let type = KeyType(storedCode: bytes[3]), bytes[4] <= 1, bytes[4] == 1 || id == 0,
                length == type.secretLength, bytes.count == KeyMaterial.header + length
            else { throw Self.damaged }
            self.type = type
            prefixID = bytes[4] == 1 ? id : nil
        }

        static let damaged = WorkingKeyError(.internalFailure, "The stored key material is damaged.")
    }
}
