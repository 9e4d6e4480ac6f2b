import Encodings
import LibCrypto
import SecretMemory
import Token

/// The public half of a pair that seals, and how a secret goes to the private one.
enum SealingHalf: Sendable {
    /// On P-256, 04 ‖ X ‖ Y.
    case point([UInt8])
    /// RSA of 3072 bits with the exponent 65537.
    case rsa(RSAVerificationKey, OAEPHash)

    static let rsaBits: UInt = 3072
    static let rsaExponent: [UInt8] = [1, 0, 1]

    /// From the manifest.
    ///
    /// - Throws: `.configurationRefused` for what is no public key of the kind.
    init(_ record: TokenManifest.Key) throws(HSMError) {
        guard let text = record.publicKey, let bytes = Hexadecimal.decode(text),
            let half = Self.reading(record.kind, bytes)
        else {
            throw HSMError(.configurationRefused, "The manifest's public key of '\(record.label)' is damaged.")
        }
        self = half
    }

    /// From the public object of a pair that was just made.
    init(_ kind: KeyKind, of object: ObjectHandle, _ session: borrowing Session) throws(HSMError) {
        let bytes: [UInt8]?
        if kind == .ecdhSeal {
            bytes = try session.attribute(.ecPoint, of: object).flatMap(EllipticCurve.p256.point(fromAttribute:))
        } else {
            let exponent = try session.attribute(.publicExponent, of: object).map { Array($0.drop { $0 == 0 }) }
            let modulus = try session.attribute(.modulus, of: object).map { Array($0.drop { $0 == 0 }) }
            bytes = exponent == Self.rsaExponent ? modulus : nil
        }
        guard let bytes, let half = Self.reading(kind, bytes) else {
            throw HSMError(.deviceFailure, "The token does not show the public key of a pair, or made another one.")
        }
        self = half
    }

    private static func reading(_ kind: KeyKind, _ bytes: [UInt8]) -> SealingHalf? {
        switch kind {
        case .ecdhSeal: return (try? AgreementKey.check(bytes, on: .p256)) == nil ? nil : .point(bytes)
        case .rsaSealSHA256, .rsaSealSHA1:
            guard bytes.count == Int(rsaBits / 8), bytes[0] & 0x80 != 0,
                let key = try? RSAVerificationKey(modulus: bytes, exponent: rsaExponent)
            else { return nil }
            return .rsa(key, kind == .rsaSealSHA256 ? .sha256 : .sha1)
        case .aes256Seal, .aes256Wrap, .ecP256, .ecSecp256k1: return nil
        }
    }

    /// The point, or the modulus.
    var bytes: [UInt8] {
        switch self {
        case .point(let point): point
        case .rsa(let key, _): key.modulus
        }
    }

    var kind: KeyKind {
        switch self {
        case .point: .ecdhSeal
        case .rsa(_, .sha256): .rsaSealSHA256
        case .rsa(_, .sha1): .rsaSealSHA1
        }
    }

    /// The first byte of what is sealed to it.
    var version: UInt8 {
        switch self {
        case .point: 3
        case .rsa: 4
        }
    }

    /// Bytes of a point, or of the modulus.
    var encapsulationLength: Int { bytes.count }

    /// SHA-256 of the SubjectPublicKeyInfo in hex.
    var fingerprint: String {
        get throws(HSMError) {
            let info = subjectPublicKeyInfo
            return Hexadecimal.encode(
                try PublicSealing.computing { () throws(LibCryptoError) in try Digest.sha256(info) })
        }
    }

    private var subjectPublicKeyInfo: [UInt8] {
        switch self {
        case .point(let point): return EllipticCurve.p256.subjectPublicKeyInfo(of: point)
        case .rsa(let key, _):
            // rsaEncryption with NULL parameters, RSAPublicKey (RFC 8017, A.1); the modulus begins with a one bit.
            let algorithm: [UInt8] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00]
            let numbers = DER.element(0x02, [0] + key.modulus) + DER.element(0x02, key.exponent)
            return DER.element(
                0x30, DER.element(0x30, algorithm) + DER.element(0x03, [0] + DER.element(0x30, numbers)))
        }
    }

    // MARK: To the private half

    /// A fresh secret of 32 bytes, and what only the private half gets it out of.
    func encapsulate() throws(HSMError) -> (shared: SharedSecret, encapsulation: [UInt8]) {
        switch self {
        case .point(let point):
            return try PublicSealing.computing { () throws(LibCryptoError) in
                let ephemeral = try AgreementKey.generate(.p256)
                return (SharedSecret(try ephemeral.agree(with: point)), ephemeral.publicKey)
            }
        case .rsa(let key, let hash):
            let secret = try WrappingSentinel.randomSecret()
            let encapsulation = try PublicSealing.computing { () throws(LibCryptoError) in
                try secret.withSecret { secret throws(LibCryptoError) in
                    try key.encrypt(secret: secret, padding: hash == .sha256 ? .oaepSHA256 : .oaepSHA1)
                }
            }
            return (secret, encapsulation)
        }
    }

    /// - Throws: ``HSMError/notAuthentic`` for what is no encapsulation, or what the module said.
    func decapsulate(
        _ encapsulation: [UInt8], session: borrowing Session, key: ObjectHandle
    ) throws(HSMError) -> SharedSecret {
        switch self {
        case .point:
            // Before the token sees it: a point off the curve would tell of the key.
            guard (try? AgreementKey.check(encapsulation, on: .p256)) != nil else { throw HSMError.notAuthentic }
            return try session.agree(key, with: encapsulation, on: .p256)
        case .rsa(_, let hash):
            do throws(HSMError) {
                return try session.decryptSecret(.oaep(hash), key: key, encapsulation, count: 32)
            } catch {
                throw error.code == .authenticationFailed ? HSMError.notAuthentic : error
            }
        }
    }
}
