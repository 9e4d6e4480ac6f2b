import LibCrypto
import SecretMemory
import Token
import WorkingKeys

/// An opened key whose private half is used inside the token only. Public operations run in this process.
///
/// The counterpart of `WorkingKey`, with the same forms of signatures, ciphertexts and MACs.
///
/// - Concurrency: any number of operations at once; each private one is a round trip to the token.
final class ResidentKey: Sendable {
    let type: KeyType
    /// The primary first.
    let versions: [ResidentVersion]
    private let verifier: SignatureVerifier?
    let token: any ResidentKeyOperations

    /// - Parameter versions: One or more, the primary first, all of `type`'s algorithm.
    init(type: KeyType, versions: [ResidentVersion], token: any ResidentKeyOperations) throws {
        guard !versions.isEmpty, versions.allSatisfy({ $0.algorithm == type.residentAlgorithm }) else {
            throw KMSError(.internal, "A resident key is not of its type's algorithm.")
        }
        self.type = type
        self.versions = versions
        self.token = token
        guard type.isAsymmetric else {
            verifier = nil
            return
        }
        let publicKeys = try versions.map { version in
            guard let key = version.publicKey else {
                throw KMSError(.internal, "A resident key has no public half.")
            }
            return (publicKey: [UInt8](key), prefixID: version.prefixID)
        }
        verifier = type.signingCurve == nil ? nil : try SignatureVerifier(type: type, versions: publicKeys)
    }

    var primary: ResidentVersion { versions[0] }

    /// In the type's export form; nil for symmetric keys.
    var publicKey: [UInt8]? {
        get throws { try primary.publicKey.map { try PublicKeyEncoding.export([UInt8]($0), type: type) } }
    }

    /// Destroys the unwrapped copies in the token.
    func forget() async {
        for version in versions { await token.forget(version.blob.identifier) }
    }

    /// What the device says of the primary version.
    func evidence(nonce: [UInt8]) async throws -> ResidentKeyEvidence {
        try await token.attest(primary.blob, nonce: nonce)
    }

    func sign(_ message: [UInt8]) async throws -> [UInt8] {
        guard type.signingCurve != nil else { throw Self.unsupported(.sign, type) }
        let input = type == .ed25519 ? message : try ECDSASignatureEncoding.digest(message, for: type)
        let signature = try await token.sign(digest: input, with: primary.blob)
        return try ECDSASignatureEncoding.encode(fixedWidth: signature, type: type, prefixID: primary.prefixID)
    }

    func verify(signature: [UInt8], message: [UInt8]) throws {
        guard let verifier else { throw Self.unsupported(.verify, type) }
        try verifier.verify(signature: signature, message: message)
    }

    func encrypt(
        _ message: [UInt8], associatedData: [UInt8]
    ) async throws -> (ciphertext: [UInt8], nonce: [UInt8]) {
        guard let algorithm = type.aead else { throw Self.unsupported(.encrypt, type) }
        let nonce = try Random.bytes(algorithm.nonceLength)
        let ciphertext = try await token.encrypt(
            message, nonce: nonce, associatedData: associatedData, with: primary.blob)
        return (ciphertext, nonce)
    }

    func decrypt(ciphertext: [UInt8], nonce: [UInt8], associatedData: [UInt8]) async throws -> [UInt8] {
        guard let algorithm = type.aead else { throw Self.unsupported(.decrypt, type) }
        let refused = KMSError(.ciphertextInvalid, "The ciphertext does not decrypt.")
        guard nonce.count == algorithm.nonceLength, ciphertext.count >= algorithm.tagLength else { throw refused }
        for version in versions {
            do {
                return try await token.decrypt(
                    ciphertext, nonce: nonce, associatedData: associatedData, with: version.blob)
            } catch {
                guard error.code == .authenticationFailed else { throw error }
            }
        }
        throw refused
    }

    func mac(_ data: [UInt8]) async throws -> [UInt8] {
        guard type == .hmacSHA256Tag256 else { throw Self.unsupported(.computeMAC, type) }
        let tag = try await token.mac(data, with: primary.blob)
        return primary.prefixID.map { OutputPrefix.bytes($0) + tag } ?? tag
    }

    func verifyMAC(_ mac: [UInt8], data: [UInt8]) async throws {
        guard type == .hmacSHA256Tag256 else { throw Self.unsupported(.verifyMAC, type) }
        let prefixed = OutputPrefix.split(mac)
        for version in versions {
            let expected = version.prefixID == nil ? mac : prefixed?.body
            guard let expected, version.prefixID == nil || version.prefixID == prefixed?.id else { continue }
            if ConstantTime.equal(try await token.mac(data, with: version.blob), expected) { return }
        }
        throw KMSError(.signatureInvalid, "The MAC does not verify.")
    }

    static func unsupported(_ operation: KeyOperation, _ type: KeyType) -> KMSError {
        KMSError(.invalidArgument, "A key of type \(type.rawValue) does not serve '\(operation.rawValue)'.")
    }
}
