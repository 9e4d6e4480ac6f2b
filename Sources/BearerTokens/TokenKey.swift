import FoundationEssentials
import JWTKit
import LibCrypto
import StrictJSON
import TextEncodings

/// A public key that verifies tokens of one algorithm.
struct TokenKey: Sendable {
    let algorithm: BearerAlgorithm
    let keyID: String?
    private let verifier: any JWTAlgorithm

    /// Reads one key of a set; nil for keys that are for something else: encryption, other types and curves, secrets.
    ///
    /// - Throws: ``BearerTokenError`` for a key that claims to be for us and is malformed.
    init?(_ node: JSONNode) async throws(BearerTokenError) {
        guard node["use"]?.text ?? "sig" == "sig", node["d"] == nil, node["k"] == nil else { return nil }
        if let operations = node["key_ops"]?.elements, !operations.contains(where: { $0.text == "verify" }) {
            return nil
        }
        let algorithm: BearerAlgorithm
        switch (node["kty"]?.text, node["crv"]?.text) {
        case ("RSA", _): algorithm = .rs256
        case ("EC", "P-256"): algorithm = .es256
        case ("OKP", "Ed25519"): algorithm = .edDSA
        default: return nil
        }
        if let named = node["alg"]?.text, named != algorithm.rawValue { return nil }
        let keyID = node["kid"]?.text
        if let keyID, !CompactToken.isPlain(keyID: keyID) { return nil }
        self.algorithm = algorithm
        self.keyID = keyID
        verifier = try await Self.verifier(algorithm, node)
    }

    /// Whether the signature is this key's. Malformed ones are answered with false.
    func verifies(_ token: CompactToken) -> Bool { verifies(token.signature, of: token.signed) }

    func verifies(_ signature: [UInt8], of signed: [UInt8]) -> Bool {
        (try? verifier.verify(signature, signs: signed)) ?? false
    }

    private static func verifier(
        _ algorithm: BearerAlgorithm, _ node: JSONNode
    ) async throws(BearerTokenError) -> any JWTAlgorithm {
        let malformed = BearerTokenError(.keysUnavailable, "the key set holds a malformed \(algorithm.rawValue) key")
        func member(_ name: String, _ lengths: ClosedRange<Int>) throws(BearerTokenError) -> String {
            guard let text = node[name]?.text, let bytes = Base64.decode(Array(text.utf8), .url),
                lengths.contains(bytes.count)
            else { throw malformed }
            if name == "x", algorithm == .edDSA {
                // Refuses points of small order, for which a signature proves nothing.
                do { _ = try VerificationKey(curve: .ed25519, publicKey: bytes) } catch { throw malformed }
            }
            return text
        }
        let identifier = JWKIdentifier(string: "key")
        let key: JWK
        switch algorithm {
        case .rs256:
            // 2048 to 8192 bits.
            key = .rsa(
                .rs256, identifier: identifier, modulus: try member("n", 256...1024),
                exponent: try member("e", 1...4))
        case .es256:
            key = .ecdsa(
                .es256, identifier: identifier, x: try member("x", 32...32), y: try member("y", 32...32), curve: .p256)
        case .edDSA:
            key = .octetKeyPair(
                .eddsa, identifier: identifier, x: try member("x", 32...32), y: nil, curve: .ed25519)
        case .hs256: throw malformed
        }
        do {
            return try await JWTKeyCollection().add(jwk: key).getKey(for: identifier)
        } catch {
            throw malformed
        }
    }
}
