import Encodings
import KMSDaemon
import LibCrypto
import WorkingKeys

/// A public key in the forms that other programs read.
struct PublicKeyText {
    /// RFC 7518, RFC 8037 and RFC 8812 names.
    private let curve: String
    /// 32 bytes of an Edwards or Montgomery curve, else 0x04 ‖ X ‖ Y.
    private let raw: [UInt8]

    /// - Parameters:
    ///   - exported: As the export route has it: raw bytes, a SubjectPublicKeyInfo or the JSON of an agreement key.
    ///   - type: Says which.
    /// - Throws: ``CommandFailure`` for a type without such forms, and for what is not a key of that type.
    init(exported: [UInt8], type name: String) throws {
        let damaged = CommandFailure(.failed, code: "answer", "the server's answer is not a key of type \(name)")
        let type = KeyType(rawValue: name)
        if let agreement = type?.agreementCurve {
            guard let node = try? JSONNode(reading: exported), let x = Self.number(node["x"]),
                let key = try? AgreementPublicKey(
                    curve: agreement.rawValue, type: "", x: x, y: Self.number(node["y"]) ?? [])
            else { throw damaged }
            (curve, raw) = (agreement.rawValue, key.raw)
        } else if let signing = type?.signingCurve, let type {
            let count = signing.publicKeyLength
            let point = Array(exported.suffix(count))
            guard point.count == count, count == 32 || point[0] == 4 else { throw damaged }
            let isWrapped = type.signatureEncoding == .der
            let whole = isWrapped ? SubjectPublicKeyInfo.encode(curve: signing, publicKey: point) : point
            guard whole == exported else { throw damaged }
            (curve, raw) = (signing == .secp256k1 ? "secp256k1" : signing.rawValue, point)
        } else {
            throw CommandFailure(
                .failed, code: "format",
                "Programs agree on no such form for keys of type \(TerminalEscaping.of(name)); use --format raw")
        }
    }

    private static func number(_ node: JSONNode?) -> [UInt8]? { node?.text.flatMap { Base64.decode($0, .either) } }

    private var signingCurve: SigningCurve? {
        switch curve {
        case "P-256": .p256
        case "P-384": .p384
        case "P-521": .p521
        case "secp256k1": .secp256k1
        case "Ed25519": .ed25519
        default: nil
        }
    }

    /// SubjectPublicKeyInfo (RFC 5480, RFC 8410) in the armour of RFC 7468.
    var pem: String {
        // Of X25519: SEQUENCE { SEQUENCE { 1.3.101.110 }, BIT STRING }.
        let information =
            signingCurve.map { SubjectPublicKeyInfo.encode(curve: $0, publicKey: raw) }
            ?? [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x6E, 0x03, 0x21, 0x00] + raw
        var lines = ["-----BEGIN PUBLIC KEY-----"]
        var rest = Base64.encode(information)[...]
        while !rest.isEmpty {
            lines.append(String(rest.prefix(64)))
            rest = rest.dropFirst(64)
        }
        return (lines + ["-----END PUBLIC KEY-----"]).joined(separator: "\n")
    }

    /// RFC 7517; `kid` is the key's id at the server.
    func jwk(named name: String?) -> [String: String] {  // exact: names of members, this program's own.
        var members: [String: String] = ["crv": curve]  // exact: names of members, this program's own.
        members["kid"] = name
        if raw.count == 32 {
            members["kty"] = "OKP"
            members["x"] = Base64.encode(raw, .url)
        } else {
            let width = (raw.count - 1) / 2
            members["kty"] = "EC"
            members["x"] = Base64.encode(Array(raw[1...width]), .url)
            members["y"] = Base64.encode(Array(raw[(1 + width)...]), .url)
        }
        return members
    }
}
