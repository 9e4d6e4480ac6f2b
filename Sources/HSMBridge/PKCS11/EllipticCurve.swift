import Encodings
import Token

/// A named curve with its DER object identifier and the width of a coordinate.
struct EllipticCurve: Hashable, Sendable {
    /// As in JSON Web Keys.
    let name: String
    /// CKA_EC_PARAMS: the curve's object identifier in DER.
    let parameters: [UInt8]
    /// Bytes of one coordinate and of one half of a signature.
    let coordinateLength: Int

    // SEC 2 and RFC 5480 section 2.1.1.1.
    static let p256 = Self(
        name: "P-256", parameters: [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], coordinateLength: 32)
    static let p384 = Self(name: "P-384", parameters: [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22], coordinateLength: 48)
    static let p521 = Self(name: "P-521", parameters: [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23], coordinateLength: 66)
    static let secp256k1 = Self(
        name: "secp256k1", parameters: [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a], coordinateLength: 32)
    /// RFC 8410 section 3; the "coordinate" is the whole encoded point.
    static let ed25519 = Self(name: "Ed25519", parameters: [0x06, 0x03, 0x2b, 0x65, 0x70], coordinateLength: 32)

    /// CurveFp254BNb, whose parameters no object identifier names; see ``PairingParameters``.
    static let bn254 = Self(name: "CurveFp254BNb", parameters: PairingParameters.bn254, coordinateLength: 32)

    var isEdwards: Bool { self == .ed25519 }

    /// Length of an encoded public point: 04 ‖ X ‖ Y, or 32 bytes for Ed25519.
    var pointLength: Int { isEdwards ? coordinateLength : 2 * coordinateLength + 1 }

    /// Length of a signature: r ‖ s, or R ‖ S.
    var signatureLength: Int { 2 * coordinateLength }

    /// Takes the point out of CKA_EC_POINT: a DER OCTET STRING by the standard, bare in some modules.
    func point(fromAttribute value: [UInt8]) -> [UInt8]? {
        let bare: [UInt8]
        if value.count == pointLength {
            bare = value
        } else if value.first == 0x04, value.count == pointLength + 2, Int(value[1]) == pointLength {
            bare = Array(value.dropFirst(2))
        } else if value.first == 0x04, value.count == pointLength + 3, value[1] == 0x81, Int(value[2]) == pointLength {
            bare = Array(value.dropFirst(3))
        } else {
            return nil
        }
        return isEdwards || bare.first == 0x04 ? bare : nil
    }

    /// CKA_EC_POINT of a public point.
    func attribute(fromPoint point: [UInt8]) -> [UInt8] { DER.element(0x04, point) }

    /// SubjectPublicKeyInfo of a public point (RFC 5480 section 2, RFC 8410 section 4).
    func subjectPublicKeyInfo(of point: [UInt8]) -> [UInt8] {
        // id-ecPublicKey 1.2.840.10045.2.1
        let ecPublicKey: [UInt8] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]
        let algorithm = isEdwards ? parameters : ecPublicKey + parameters
        return DER.element(0x30, DER.element(0x30, algorithm) + DER.element(0x03, [0] + point))
    }
}
