import LibCrypto
import SecretMemory
public import Token

extension PKCS11Token: ResultSigning {
    public func sign(_ message: [UInt8], with role: KeyRole) async throws(HSMError) -> [UInt8] {
        try role.checkSigning(message)
        return try await perform { (session, connection) throws(HSMError) in
            let key = try connection.key(role)
            let signature = try session.sign(.ecdsa, key: key.hot, session.sha256(message), length: 64)
            return key.kind == .ecSecp256k1 ? LowS.secp256k1(signature) : signature
        }
    }

    public func sign(_ result: SecretResult) async throws(HSMError) -> [UInt8] {
        try await perform { (session, connection) throws(HSMError) in
            let key = try connection.key(.result)
            // In this process: the module's own hash would put the message into memory that is not ours to wipe.
            let digest: SecretBytes
            do { digest = try result.encoded.withSecret { try Digest.sha256(secret: $0) } } catch {
                throw HSMError(.deviceFailure, "Could not hash a result: \(error).")
            }
            let signature = try session.sign(.ecdsa, key: key.hot, secret: digest, length: 64)
            return key.kind == .ecSecp256k1 ? LowS.secp256k1(signature) : signature
        }
    }

    public func publicKey(of role: KeyRole) async throws(HSMError) -> PublicKeyDescription {
        guard role.signs else {
            throw HSMError(.invalidArgument, "The role '\(role.rawValue)' has no public key.")
        }
        return try await perform { (_, connection) throws(HSMError) in
            guard let publicKey = try connection.key(role).publicKey else {
                throw HSMError(.keyMissing, "The token shows no public key for '\(role.rawValue)'.")
            }
            return publicKey
        }
    }
}
