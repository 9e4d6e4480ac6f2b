import LibCrypto

/// `TPMT_PUBLIC` of a key, read strictly: of the kinds that keys and attestation keys here can have, and no other.
///
/// Source: TPM 2.0 Library part 2, section 12.2.4.
struct TPMPublicArea: Equatable {
    enum Kind: Equatable {
        /// A curve's number in the TCG Algorithm Registry, and the point's coordinates, at most 66 bytes each.
        case ecc(curve: UInt16, x: [UInt8], y: [UInt8])
        /// HMAC; the digest binds the secret part without revealing it.
        case hmac(unique: [UInt8])
    }

    /// `TPMA_OBJECT`, part 2, section 8.3.
    struct Attributes: OptionSet, Equatable {
        let rawValue: UInt32
        static let fixedTPM = Self(rawValue: 1 << 1)
        static let fixedParent = Self(rawValue: 1 << 4)
        static let sensitiveDataOrigin = Self(rawValue: 1 << 5)
        static let encryptedDuplication = Self(rawValue: 1 << 11)
        static let restricted = Self(rawValue: 1 << 16)
        static let decrypt = Self(rawValue: 1 << 17)
        static let sign = Self(rawValue: 1 << 18)
        /// stClear, userWithAuth, adminWithPolicy, noDA: how a key is used, not what it is.
        static let use = Self(rawValue: 1 << 2 | 1 << 6 | 1 << 7 | 1 << 10)
        static let known: Self = [
            fixedTPM, fixedParent, sensitiveDataOrigin, encryptedDuplication, restricted, decrypt, sign, use,
        ]
    }

    let kind: Kind
    let attributes: Attributes
    /// Name algorithm ‖ digest; 34 bytes.
    let name: [UInt8]

    static let sha256: UInt16 = 0x000B
    private static let null: UInt16 = 0x0010
    static let ecdsa: UInt16 = 0x0018
    private static let hmac: UInt16 = 0x0005

    init(_ bytes: [UInt8]) throws(AttestationFinding) {
        var reader = TPMReader(bytes)
        let type = try reader.short()
        guard try reader.short() == Self.sha256 else { throw .form("a name is not by SHA-256") }
        let flags = Attributes(rawValue: try reader.word())
        guard flags.isSubset(of: .known) else { throw .form("an attribute is not known") }
        _ = try reader.sized(upTo: 64)
        switch type {
        case 0x0023: kind = try Self.ecc(&reader)
        case 0x0008:
            guard try reader.short() == Self.hmac, try reader.short() == Self.sha256 else {
                throw .form("a keyed hash is not HMAC-SHA-256")
            }
            kind = .hmac(unique: try reader.sized(upTo: 32))
        default: throw .form("its type is not one of ours")
        }
        try reader.end()
        attributes = flags
        name = try tpmName(bytes)
    }

    private static func ecc(_ reader: inout TPMReader) throws(AttestationFinding) -> Kind {
        guard try reader.short() == null else { throw .form("a leaf key has a symmetric algorithm") }
        switch try reader.short() {
        case null: break
        case ecdsa: guard try reader.short() == sha256 else { throw .form("its scheme is not ECDSA with SHA-256") }
        default: throw .form("its scheme is not one of ours")
        }
        let curve = try reader.short()
        guard try reader.short() == null else { throw .form("it has a key derivation") }
        return .ecc(curve: curve, x: try reader.sized(upTo: 66), y: try reader.sized(upTo: 66))
    }

    /// 04 ‖ X ‖ Y, coordinates of `width` bytes; nil for another kind or curve.
    func point(curve: UInt16, width: Int) -> [UInt8]? {
        guard case .ecc(curve, let x, let y) = kind, x.count <= width, y.count <= width else { return nil }
        func padded(_ bytes: [UInt8]) -> [UInt8] { [UInt8](repeating: 0, count: width - bytes.count) + bytes }
        return [4] + padded(x) + padded(y)
    }
}

/// Name algorithm ‖ SHA-256 of `bytes` (TPM 2.0 Library part 1, section 16).
func tpmName(_ bytes: [UInt8]) throws(AttestationFinding) -> [UInt8] {
    do {
        return [0x00, 0x0B] + (try Digest.sha256(bytes))
    } catch {
        throw .form("it could not be hashed")
    }
}
