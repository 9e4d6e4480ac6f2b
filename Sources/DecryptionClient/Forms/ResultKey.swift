import Encodings
import LibCrypto
import SecretMemory

/// The token's key for results, as a client pins it.
public struct ResultKey: Sendable {
    /// SEC 1, 33 bytes.
    public let compressed: [UInt8]
    public let algorithm: String
    private let key: VerificationKey

    /// - Parameters:
    ///   - text: The compressed point in hexadecimal, as `kmsd decryption status` prints it.
    ///   - algorithm: `ES256K` or `ES256`.
    public init(_ text: String, algorithm: String) throws(ClientError) {
        let curve: SigningCurve
        switch algorithm {
        case "ES256K": curve = .secp256k1
        case "ES256": curve = .p256
        default: throw ClientError("result-key", "results are signed with ES256K or ES256, not '\(algorithm)'")
        }
        guard let bytes = Hexadecimal.decode(text, .either), bytes.count == 33 else {
            throw ClientError(
                "result-key",
                "a result key is a compressed point: 66 hexadecimal digits, as kmsd decryption status prints it")
        }
        do {
            key = try VerificationKey(curve: curve, publicKey: CompressedPoint.uncompressed(bytes, on: curve))
        } catch { throw ClientError("result-key", "the result key is no point of the curve of \(algorithm)") }
        (compressed, self.algorithm) = (bytes, algorithm)
    }

    /// SHA-256 of the SubjectPublicKeyInfo, hexadecimal.
    public var fingerprint: String {
        (try? Digest.sha256(key.subjectPublicKeyInfo)).map { Hexadecimal.encode($0) } ?? ""
    }

    /// Checks r ‖ s over a message; on secp256k1 s must be the lower one.
    func check(_ signature: [UInt8], _ message: [UInt8]) throws(ClientError) {
        try checkForm(signature)
        guard (try? key.verify(signature, message: message, encoding: .p1363)) == true else { throw Self.another }
    }

    /// The same over a secret, of which the hash alone leaves locked memory.
    func check(_ signature: [UInt8], secret message: borrowing SecretBytes) throws {
        try checkForm(signature)
        // Both curves sign over SHA-256.
        let digest = try Digest.sha256(secret: message).withUnsafeBytes { Array($0) }
        guard try key.verify(signature, digest: digest, encoding: .p1363) else { throw Self.another }
    }

    private func checkForm(_ signature: [UInt8]) throws(ClientError) {
        guard signature.count == 64 else { throw ClientError("signature", "the answer's signature has not 64 bytes") }
        if key.curve == .secp256k1, ECDSASignature.lowS(signature, curve: .secp256k1) != signature {
            throw ClientError("signature", "the answer's signature has the larger of the two s")
        }
    }

    private static let another = ClientError(
        "signature",
        "the answer's signature is not that of the result key given: another daemon made it, or it was changed")
}
