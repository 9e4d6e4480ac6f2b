import Encodings
public import LibCrypto

/// A key agreement public key as requests and answers carry it: curve name, type, and coordinates as numbers.
public struct AgreementPublicKey: Sendable, Equatable {
    /// The key's name; empty for none.
    public let keyID: String
    public let curve: AgreementCurve
    /// 32 bytes for X25519, else 0x04 ‖ X ‖ Y. Whether the point is on the curve is found out when it is used.
    public let raw: [UInt8]

    /// - Throws: `.invalidArgument` for a wrong length.
    public init(curve: AgreementCurve, raw: [UInt8], keyID: String = "") throws(WorkingKeyError) {
        guard raw.count == curve.publicKeyLength, curve == .x25519 || raw[0] == 0x04 else {
            throw WorkingKeyError(
                .invalidArgument, "A \(curve.rawValue) public key must have \(curve.publicKeyLength) bytes.")
        }
        self.keyID = keyID
        self.curve = curve
        self.raw = raw
    }

    /// Reads the members of a `PublicKey` object.
    ///
    /// - Parameters:
    ///   - curve: `NIST_P256`, `P-256`, `secp256r1` or `EllipticCurveType_NIST_P256`, and the same for 384 and 521;
    ///     `X25519` or `CURVE25519`.
    ///   - type: `EC` or `OKP`; empty if the curve is to decide.
    ///   - x: The coordinate, big-endian; numbers may come without their leading zeros. 32 bytes for X25519.
    ///   - y: Empty for X25519.
    /// - Throws: `.invalidArgument` naming the member that does not fit.
    public init(
        keyID: String = "", curve name: String, type: String, x: [UInt8], y: [UInt8]
    ) throws(WorkingKeyError) {
        guard let curve = Self.curve(name) else {
            throw WorkingKeyError(.invalidArgument, "The public key's curve '\(name.prefix(40))' is not served.")
        }
        guard type.isEmpty || type.isExactly(curve == .x25519 ? "OKP" : "EC") else {
            throw WorkingKeyError(.invalidArgument, "The public key's type does not fit curve \(curve.rawValue).")
        }
        if curve == .x25519 {
            guard y.isEmpty else { throw WorkingKeyError(.invalidArgument, "An X25519 public key has no y.") }
            try self.init(curve: curve, raw: x, keyID: keyID)
        } else {
            let raw = [0x04] + (try Self.padded(x, curve)) + (try Self.padded(y, curve))
            try self.init(curve: curve, raw: raw, keyID: keyID)
        }
    }

    /// As JSON Web Keys name it: `P-256`, `P-384`, `P-521` or `X25519`.
    public var curveName: String { curve.rawValue }

    /// `EC` or `OKP`.
    public var type: String { curve == .x25519 ? "OKP" : "EC" }

    /// The x-coordinate: without leading zeros on a Weierstrass curve, 32 bytes for X25519.
    public var x: [UInt8] {
        curve == .x25519 ? raw : Array(raw[1...curve.fieldLength].drop { $0 == 0 })
    }

    /// The y-coordinate without leading zeros; empty for X25519.
    public var y: [UInt8] {
        curve == .x25519 ? [] : Array(raw[(1 + curve.fieldLength)...].drop { $0 == 0 })
    }

    /// The text that the export route answers, members in TrustBloc's order.
    func exportedJSON() throws(WorkingKeyError) -> String {
        let allowed = keyID.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard allowed else {
            throw WorkingKeyError(.invalidArgument, "The key's name has characters that a key's name never has.")
        }
        let coordinates = #""x":"\#(Base64.encode(x))""# + (y.isEmpty ? "" : #","y":"\#(Base64.encode(y))""#)
        return #"{"kid":"\#(keyID)",\#(coordinates),"curve":"\#(exportedCurve)","type":"\#(type)"}"#
    }

    /// Reads what ``exportedJSON()`` writes.
    ///
    /// - Throws: `.invalidArgument`.
    init(exportedJSON bytes: [UInt8]) throws(WorkingKeyError) {
        func text(_ members: [ExactText: JSONNode], _ name: ExactText) -> String { members[name]?.text ?? "" }
        guard let node = try? JSONNode(reading: bytes), case .object(let members) = node,
            let x = Base64.decode(text(members, "x"), .standard), let y = Base64.decode(text(members, "y"), .standard)
        else { throw WorkingKeyError(.invalidArgument, "The public key is not the JSON of a key agreement key.") }
        try self.init(
            keyID: text(members, "kid"), curve: text(members, "curve"), type: text(members, "type"), x: x, y: y)
    }

    private var exportedCurve: String {
        switch curve {
        case .p256: "NIST_P256"
        case .p384: "NIST_P384"
        case .p521: "NIST_P521"
        case .x25519: "X25519"
        }
    }

    private static func curve(_ name: String) -> AgreementCurve? {
        switch name {
        case "NIST_P256", "P-256", "secp256r1", "EllipticCurveType_NIST_P256": .p256
        case "NIST_P384", "P-384", "secp384r1", "EllipticCurveType_NIST_P384": .p384
        case "NIST_P521", "P-521", "secp521r1", "EllipticCurveType_NIST_P521": .p521
        case "X25519", "CURVE25519": .x25519
        default: nil
        }
    }

    private static func padded(_ coordinate: [UInt8], _ curve: AgreementCurve) throws(WorkingKeyError) -> [UInt8] {
        guard (1...curve.fieldLength).contains(coordinate.count) else {
            throw WorkingKeyError(
                .invalidArgument, "A coordinate on \(curve.rawValue) has 1 to \(curve.fieldLength) bytes.")
        }
        return [UInt8](repeating: 0, count: curve.fieldLength - coordinate.count) + coordinate
    }
}
