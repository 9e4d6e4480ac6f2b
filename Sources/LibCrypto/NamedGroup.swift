internal import CLibCrypto

/// Short-Weierstrass groups, always by name: explicit parameters are never built and never accepted.
enum NamedGroup: CaseIterable {
    case p256, p384, p521, secp256k1

    /// OpenSSL's name.
    var name: StaticString {
        switch self {
        case .p256: "prime256v1"
        case .p384: "secp384r1"
        case .p521: "secp521r1"
        case .secp256k1: "secp256k1"
        }
    }

    /// Bytes of a coordinate, and of a scalar: on these curves both have the same length.
    var fieldLength: Int {
        switch self {
        case .p256, .secp256k1: 32
        case .p384: 48
        case .p521: 66
        }
    }

    /// Bits of the first scalar byte that can be set.
    var topByteMask: UInt8 { self == .p521 ? 0x01 : 0xFF }

    /// Content of the DER object identifier (RFC 5480 §2.1.1.1, SEC 2 §A.2).
    var identifier: [UInt8] {
        switch self {
        case .p256: [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
        case .p384: [0x2B, 0x81, 0x04, 0x00, 0x22]
        case .p521: [0x2B, 0x81, 0x04, 0x00, 0x23]
        case .secp256k1: [0x2B, 0x81, 0x04, 0x00, 0x0A]
        }
    }

    /// The group object, made once.
    var object: OpaquePointer? {
        switch self {
        case .p256: Self.p256Object.pointer
        case .p384: Self.p384Object.pointer
        case .p521: Self.p521Object.pointer
        case .secp256k1: Self.secp256k1Object.pointer
        }
    }

    private struct Object: @unchecked Sendable {
        // @unchecked: an EC_GROUP is only read after its creation, which OpenSSL allows from several threads, and these
        // are never freed.
        let pointer: OpaquePointer?
        init(_ identifier: Int32) { pointer = EC_GROUP_new_by_curve_name(identifier) }
    }

    private static let p256Object = Object(NID_X9_62_prime256v1)
    private static let p384Object = Object(NID_secp384r1)
    private static let p521Object = Object(NID_secp521r1)
    private static let secp256k1Object = Object(NID_secp256k1)
}
