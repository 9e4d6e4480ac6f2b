import CP11Kit

/// A PKCS #11 mechanism type.
struct MechanismType: RawRepresentable, Hashable, Sendable {
    let rawValue: CK_MECHANISM_TYPE

    static let aesKeyGeneration = Self(rawValue: CK_MECHANISM_TYPE(CKM_AES_KEY_GEN))
    static let genericSecretKeyGeneration = Self(rawValue: CK_MECHANISM_TYPE(CKM_GENERIC_SECRET_KEY_GEN))
    static let ecKeyPairGeneration = Self(rawValue: CK_MECHANISM_TYPE(CKM_EC_KEY_PAIR_GEN))
    /// PKCS #11 3.0; absent from the 2.40 header.
    static let edwardsKeyPairGeneration = Self(rawValue: 0x1055)
    static let ecdsa = Self(rawValue: CK_MECHANISM_TYPE(CKM_ECDSA))
    /// PKCS #11 2.40; absent from p11-kit's header.
    static let ecdsaSHA256 = Self(rawValue: 0x1044)
    /// PKCS #11 3.0; absent from the 2.40 header.
    static let eddsa = Self(rawValue: 0x1057)
    static let aesGCM = Self(rawValue: CK_MECHANISM_TYPE(CKM_AES_GCM))
    /// RFC 5649 in SoftHSM and in PKCS #11 2.40 modules that implement it at all.
    static let aesKeyWrapPad = Self(rawValue: CK_MECHANISM_TYPE(CKM_AES_KEY_WRAP_PAD))
    static let aesECB = Self(rawValue: CK_MECHANISM_TYPE(CKM_AES_ECB))
    static let ecdh1Derive = Self(rawValue: CK_MECHANISM_TYPE(CKM_ECDH1_DERIVE))
    static let sha256 = Self(rawValue: CK_MECHANISM_TYPE(CKM_SHA256))
    static let sha256HMAC = Self(rawValue: CK_MECHANISM_TYPE(CKM_SHA256_HMAC))
    static let sha1HMAC = Self(rawValue: CK_MECHANISM_TYPE(CKM_SHA_1_HMAC))
    static let sha384HMAC = Self(rawValue: CK_MECHANISM_TYPE(CKM_SHA384_HMAC))
    static let sha512HMAC = Self(rawValue: CK_MECHANISM_TYPE(CKM_SHA512_HMAC))
    static let sha1 = Self(rawValue: CK_MECHANISM_TYPE(CKM_SHA_1))
    static let aesCBC = Self(rawValue: CK_MECHANISM_TYPE(CKM_AES_CBC))
    static let aesCMAC = Self(rawValue: CK_MECHANISM_TYPE(CKM_AES_CMAC))
    /// RFC 3394; some modules fill what is no multiple of eight bytes with zeros.
    static let aesKeyWrap = Self(rawValue: CK_MECHANISM_TYPE(CKM_AES_KEY_WRAP))
    /// RFC 5649 in PKCS #11 3.0; absent from the 2.40 header.
    static let aesKeyWrapKWP = Self(rawValue: 0x210B)
    static let rsaKeyPairGeneration = Self(rawValue: CK_MECHANISM_TYPE(CKM_RSA_PKCS_KEY_PAIR_GEN))
    static let rsaPKCS1 = Self(rawValue: CK_MECHANISM_TYPE(CKM_RSA_PKCS))
    static let rsaPKCS1SHA256 = Self(rawValue: CK_MECHANISM_TYPE(CKM_SHA256_RSA_PKCS))
    static let rsaOAEP = Self(rawValue: CK_MECHANISM_TYPE(CKM_RSA_PKCS_OAEP))

    /// The standard's spelling; hexadecimal for one without a name here.
    var name: String { Self.names[self] ?? "0x" + String(rawValue, radix: 16) }

    private static let names: [MechanismType: String] = [
        .aesKeyWrap: "CKM_AES_KEY_WRAP", .aesKeyWrapPad: "CKM_AES_KEY_WRAP_PAD",
        .aesKeyWrapKWP: "CKM_AES_KEY_WRAP_KWP", .rsaOAEP: "CKM_RSA_PKCS_OAEP", .aesECB: "CKM_AES_ECB",
        .aesCBC: "CKM_AES_CBC", .aesCMAC: "CKM_AES_CMAC", .sha1HMAC: "CKM_SHA_1_HMAC", .sha256HMAC: "CKM_SHA256_HMAC",
        .sha384HMAC: "CKM_SHA384_HMAC", .sha512HMAC: "CKM_SHA512_HMAC", .ecdsa: "CKM_ECDSA", .eddsa: "CKM_EDDSA",
        .ecdsaSHA256: "CKM_ECDSA_SHA256", .rsaPKCS1: "CKM_RSA_PKCS", .rsaPKCS1SHA256: "CKM_SHA256_RSA_PKCS",
        .ecdh1Derive: "CKM_ECDH1_DERIVE",
    ]
}

/// A mechanism with its parameter, if it has one.
enum Mechanism: Sendable {
    case plain(MechanismType)
    /// AES-GCM with a 96-bit IV and a 128-bit tag; a token such as SoftHSM would accept any lengths, even 0.
    case gcm(iv: [UInt8], associatedData: [UInt8])
    /// ECDH without key derivation function: the x coordinate of the product. The point is ours, never a caller's.
    case ecdh(point: [UInt8])
    /// A block mode with its initial vector.
    case vector(MechanismType, [UInt8])
    /// RSAES-OAEP without a label, its mask made with the same hash.
    case oaep(OAEPHash)

    static let gcmIVLength = 12
    static let gcmTagLength = 16

    /// Lends the C structure. Buffers of length 0 are never NULL: SoftHSM would leave the operation active.
    func withCMechanism<R>(_ body: (UnsafeMutablePointer<CK_MECHANISM>) -> R) -> R {
        switch self {
        case .plain(let type):
            var mechanism = CK_MECHANISM(mechanism: type.rawValue, pParameter: nil, ulParameterLen: 0)
            return body(&mechanism)
        case .ecdh(let point):
            return point.withNonNullBytes { point in
                var parameters = CK_ECDH1_DERIVE_PARAMS()
                parameters.kdf = CK_ULONG(CKD_NULL)
                parameters.ulPublicDataLen = CK_ULONG(point.count)
                parameters.pPublicData = point.baseAddress
                return withUnsafeMutablePointer(to: &parameters) { pointer in
                    var mechanism = CK_MECHANISM(
                        mechanism: MechanismType.ecdh1Derive.rawValue, pParameter: pointer,
                        ulParameterLen: CK_ULONG(MemoryLayout<CK_ECDH1_DERIVE_PARAMS>.size))
                    return body(&mechanism)
                }
            }
        case .vector(let type, let vector):
            return vector.withNonNullBytes { vector in
                var mechanism = CK_MECHANISM(
                    mechanism: type.rawValue, pParameter: vector.baseAddress, ulParameterLen: CK_ULONG(vector.count))
                return body(&mechanism)
            }
        case .oaep(let hash):
            var parameters = CK_RSA_PKCS_OAEP_PARAMS()
            parameters.hashAlg = hash.mechanism.rawValue
            parameters.mgf = hash.maskGenerator
            parameters.source = CK_ULONG(CKZ_DATA_SPECIFIED)
            return withUnsafeMutablePointer(to: &parameters) { pointer in
                var mechanism = CK_MECHANISM(
                    mechanism: MechanismType.rsaOAEP.rawValue, pParameter: pointer,
                    ulParameterLen: CK_ULONG(MemoryLayout<CK_RSA_PKCS_OAEP_PARAMS>.size))
                return body(&mechanism)
            }
        case .gcm(let iv, let associatedData):
            precondition(iv.count == Self.gcmIVLength, "a GCM IV of ours is 12 bytes (SP 800-38D section 8.2)")
            return iv.withNonNullBytes { iv in
                associatedData.withNonNullBytes { data in
                    var parameters = CK_GCM_PARAMS()
                    parameters.pIv = iv.baseAddress
                    parameters.ulIvLen = CK_ULONG(iv.count)
                    parameters.ulIvBits = CK_ULONG(iv.count * 8)
                    parameters.pAAD = data.baseAddress
                    parameters.ulAADLen = CK_ULONG(data.count)
                    parameters.ulTagBits = CK_ULONG(Self.gcmTagLength * 8)
                    return withUnsafeMutablePointer(to: &parameters) { pointer in
                        var mechanism = CK_MECHANISM(
                            mechanism: MechanismType.aesGCM.rawValue, pParameter: pointer,
                            ulParameterLen: CK_ULONG(MemoryLayout<CK_GCM_PARAMS>.size))
                        return body(&mechanism)
                    }
                }
            }
        }
    }
}

/// The hash of RSAES-OAEP (RFC 8017, 7.1).
enum OAEPHash: String, Sendable, CaseIterable {
    case sha256 = "SHA-256"
    case sha1 = "SHA-1"

    var mechanism: MechanismType { self == .sha256 ? .sha256 : .sha1 }

    var maskGenerator: CK_ULONG { CK_ULONG(self == .sha256 ? CKG_MGF1_SHA256 : CKG_MGF1_SHA1) }

    /// Bytes of a digest.
    var length: Int { self == .sha256 ? 32 : 20 }
}

extension [UInt8] {
    /// Lends the bytes with an address even when there are none.
    ///
    /// The C interface takes mutable pointers to input that no module writes to.
    func withNonNullBytes<R>(_ body: (UnsafeMutableBufferPointer<UInt8>) -> R) -> R {
        withUnsafeBufferPointer { bytes in
            guard bytes.isEmpty else { return body(UnsafeMutableBufferPointer(mutating: bytes)) }
            return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { spare in
                body(UnsafeMutableBufferPointer(rebasing: spare[..<0]))
            }
        }
    }
}
