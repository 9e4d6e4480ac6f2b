import Encodings
import LibCrypto
import SecretMemory
public import Token

/// ECDSA on P-256 in the TPM; this process sees messages and signatures only.
extension TPMToken: ResultSigning {
    public func sign(_ message: [UInt8], with role: KeyRole) async throws(HSMError) -> [UInt8] {
        try role.checkSigning(message)
        let digest: [UInt8]
        do { digest = try Digest.sha256(message) } catch {
            throw HSMError(.deviceFailure, "Could not hash a message: \(error).")
        }
        return try await perform { (connection) throws(HSMError) in
            try connection.context.sign(
                connection.key(role).handle, connection.authorization, digest: digest, width: 32)
        }
    }

    public func sign(_ result: SecretResult) async throws(HSMError) -> [UInt8] {
        let digest: SharedSecret
        do { digest = SharedSecret(try result.encoded.withSecret { try Digest.sha256(secret: $0) }) } catch {
            throw HSMError(.deviceFailure, "Could not hash a result: \(error).")
        }
        return try await perform { (connection) throws(HSMError) in
            let key = try connection.key(.result).handle
            return try digest.withSecret { digest throws(HSMError) in
                try connection.context.sign(key, connection.authorization, secret: digest, width: 32)
            }
        }
    }

    public func publicKey(of role: KeyRole) async throws(HSMError) -> PublicKeyDescription {
        guard role.signs else {
            throw HSMError(.invalidArgument, "The role '\(role.rawValue)' has no public key.")
        }
        return try await perform { (connection) throws(HSMError) in
            try Self.describe(try connection.key(role))
        }
    }

    static func describe(_ object: TPMObject) throws(HSMError) -> PublicKeyDescription {
        guard let point = object.point(width: 32) else {
            throw HSMError(.deviceFailure, "The TPM does not show the point of a public key.")
        }
        let info = SubjectPublicKeyInfo.encode(curve: .p256, publicKey: point)
        do {
            return PublicKeyDescription(
                curve: SigningCurve.p256.rawValue, point: point, subjectPublicKeyInfo: info,
                fingerprint: Hexadecimal.encode(try Digest.sha256(info)))
        } catch {
            throw HSMError(.deviceFailure, "Could not hash a public key: \(error).")
        }
    }
}
